//! Archives as real tools make them: wheels, zipapps, pex, shiv, PyInstaller, tar. What is in them is found where it lies,
//! and none of it is unpacked. Everything is made of an inert wheel.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::stage::{
    Swept, bare_venv, done, folder, line, metadata, python, shown, sweep, sweep_bounded, tool, wheel, write,
};

/// A program of the environment with pex, shiv and PyInstaller.
fn archiver(name: &str, home: &Path) -> Command {
    let folder = std::env::var_os("PYSWEEP_ARCHIVERS");
    let folder = folder.expect("PYSWEEP_ARCHIVERS names no folder of programs. `.ci/run` makes it.");
    let mut command = tool(PathBuf::from(folder).join(name), home);
    command.env("PIP_FIND_LINKS", home).env("PEX_ROOT", home.join("pex-root")).env("SHIV_ROOT", home.join("shiv-root"));
    command
}

/// A home with an inert wheel of the attack, whose path it returns too.
fn with_wheel() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let (keep, home) = folder();
    wheel(&home, "litellm", "1.82.8", None);
    let wheel = home.join("litellm-1.82.8-py3-none-any.whl");
    (keep, home, wheel)
}

/// Installs the wheel into a plain folder.
fn unpacked(home: &Path, wheel: &Path) -> PathBuf {
    let site = home.join("unpacked");
    let mut pip = tool(python(), home);
    done(pip.args(["-m", "zipfile", "-e", shown(wheel), shown(&site)]));
    site
}

/// What is said of the file at `path`: name, version, form and place of each distribution in it.
fn held(swept: &Swept, path: &Path) -> Vec<[String; 4]> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let rows = swept.rows("distributions").iter().filter(|row| row["path"] == shown(path));
    rows.map(|row| ["name", "version", "metadata", "member"].map(|key| text(row, key))).collect()
}

fn is_litellm(swept: &Swept, path: &Path, form: &str, member: &str) {
    let found = held(swept, path);
    let wanted = ["litellm", "1.82.8", form, member].map(str::to_owned);
    assert!(found.contains(&wanted), "{}: {found:?}", path.display());
    assert!(swept.finds(path), "{}", path.display());
}

fn hash(path: &Path) -> String {
    line(Command::new("sha256sum").arg(path)).split(' ').next().unwrap().to_owned()
}

#[test]
fn wheels_and_zipapps() {
    let (_keep, home, wheel) = with_wheel();
    let site = unpacked(&home, &wheel);
    write(&site.join("__main__.py"), "# inert\n");
    let (app, program) = (home.join("app.pyz"), home.join("bin/app"));
    std::fs::create_dir(home.join("bin")).unwrap();
    for (out, more) in
        [(&app, ["-c", "-p", "/usr/bin/env python3"].as_slice()), (&program, &["-p", "/usr/bin/python3"])]
    {
        done(tool(python(), &home).args(["-m", "zipapp", shown(&site), "-o", shown(out)]).args(more));
    }
    let swept = sweep([shown(&home)]);
    assert_eq!(swept.at("distributions", &wheel)["hashes"], serde_json::json!([hash(&wheel)]));
    is_litellm(&swept, &wheel, "wheel", "");
    is_litellm(&swept, &app, "zipapp", "litellm-1.82.8.dist-info");
    is_litellm(&swept, &program, "zipapp", "litellm-1.82.8.dist-info");
}

#[test]
fn pex_and_shiv() {
    let (_keep, home, wheel) = with_wheel();
    let [loose, whole, shiv] = ["loose.pex", "bin/whole", "shiv.pyz"].map(|name| home.join(name));
    std::fs::create_dir(home.join("bin")).unwrap();
    for (out, more) in [(&loose, [].as_slice()), (&whole, &["--no-pre-install-wheels"])] {
        let args = ["--no-index", "--find-links", shown(&home), "litellm==1.82.8", "-o", shown(out)];
        done(archiver("pex", &home).args(args).args(more));
    }
    done(archiver("shiv", &home).args([
        "--no-index",
        "--find-links",
        shown(&home),
        "-o",
        shown(&shiv),
        "litellm==1.82.8",
    ]));
    let swept = sweep([shown(&home)]);
    is_litellm(&swept, &loose, "zipapp", ".deps/litellm-1.82.8-py3-none-any.whl/litellm-1.82.8.dist-info");
    is_litellm(&swept, &whole, "zipapp", ".deps/litellm-1.82.8-py3-none-any.whl");
    is_litellm(&swept, &shiv, "zipapp", "site-packages/litellm-1.82.8.dist-info");
    // The hash is that of the wheel only where pex took it in whole.
    assert_eq!(swept.at("distributions", &whole)["hashes"], serde_json::json!([hash(&wheel)]));
    assert_eq!(swept.at("distributions", &loose)["hashes"], serde_json::json!([]));
}

#[test]
fn programs_of_pyinstaller() {
    let (_keep, home, wheel) = with_wheel();
    let site = unpacked(&home, &wheel);
    write(&home.join("app.py"), "import litellm\n");
    for (name, more) in [
        ("bin", ["--onefile", "--copy-metadata", "litellm"].as_slice()),
        ("modules", &["--onefile"]),
        ("folder", &["--onedir", "--copy-metadata", "litellm"]),
    ] {
        let mut command = archiver("pyinstaller", &home);
        command.env("PYTHONPATH", &site).args(["--name", "app", "--log-level", "WARN"]).args(more);
        command.args(["--distpath", name, "--workpath", "work", "--specpath", "work", "app.py"]);
        done(&mut command);
    }
    let exe = home.join("modules/app.exe");
    std::fs::rename(home.join("modules/app"), &exe).unwrap();
    std::fs::remove_dir_all(home.join("work")).unwrap();
    let swept = sweep([shown(&home)]);
    is_litellm(&swept, &home.join("bin/app"), "frozen", "litellm-1.82.8.dist-info");
    assert_eq!(held(&swept, &exe), [["litellm", "", "frozen", "PYZ!/litellm"].map(str::to_owned)]);
    // Its metadata lies beside it, so that its modules say nothing new.
    assert_eq!(held(&swept, &home.join("folder/app/app")), Vec::<[String; 4]>::new());
    assert!(swept.finds(&home.join("folder/app/_internal/litellm-1.82.8.dist-info")));
}

#[test]
fn backups_are_opened_where_asked_for() {
    let (_keep, home) = folder();
    let long = "a-folder-with-a-rather-long-name/".repeat(5);
    let site = bare_venv(&home.join("app").join(&long));
    let place = site.join("litellm-1.82.8.dist-info");
    write(&place.join("METADATA"), metadata("litellm", "1.82.8"));
    let (inside, member) = (home.join("app"), place.strip_prefix(&home).unwrap().to_str().unwrap().to_owned());
    let mut made = Vec::new();
    for form in ["gnu", "pax", "oldgnu", "posix"] {
        let out = home.join(format!("{form}.tar.gz"));
        done(Command::new("tar").arg(format!("--format={form}")).args([
            "-czf",
            shown(&out),
            "-C",
            shown(&home),
            "app",
        ]));
        made.push(out);
    }
    let plain = home.join("plain.tar");
    done(Command::new("tar").args(["-cf", shown(&plain), "-C", shown(&home), "app"]));
    let zip = home.join("app.zip");
    done(tool(python(), &home).args(["-m", "zipfile", "-c", shown(&zip), "app"]));
    made.extend([plain, zip]);
    std::fs::remove_dir_all(inside).unwrap();
    let closed = sweep([shown(&home)]);
    assert_eq!((closed.verdict(), closed.rows("distributions").len()), (("none", "complete", 0), 0));
    let opened = sweep(["--archives", shown(&home)]);
    let excerpt: String = member.chars().take(199).collect();
    for path in &made {
        let found = held(&opened, path);
        assert_eq!(found.len(), 1, "{}", path.display());
        assert_eq!(found[0][..3], ["litellm", "1.82.8", "dist-info"].map(str::to_owned));
        assert!(found[0][3].starts_with(excerpt.trim_end_matches('…')), "{found:?}");
    }
    assert_eq!(opened.verdict(), ("exposed", "complete", 4));
}

/// One member of gzip.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn ten_gigabytes_of_nothing_take_no_time() {
    let (_keep, home) = folder();
    const PART: usize = 64 << 20;
    let parts = 160;
    // The header that tar writes for a file of that size, and its content in as many members as it takes.
    let large = home.join("large");
    std::fs::File::create(&large).unwrap().set_len((PART * parts) as u64).unwrap();
    let script = "import sys, tarfile; i = tarfile.TarFile.gettarinfo(tarfile.open(sys.argv[2], 'w'), sys.argv[1]); \
                  sys.stdout.buffer.write(i.tobuf(tarfile.GNU_FORMAT))";
    let header = done(Command::new(python()).args(["-c", script, shown(&large), shown(&home.join("x"))])).stdout;
    std::fs::remove_file(&large).unwrap();
    let bomb = home.join("bomb.tar.gz");
    let zeros = gzip(&vec![0; PART]);
    write(&bomb, [gzip(&header), zeros.repeat(parts)].concat());
    let begun = Instant::now();
    let swept = sweep_bounded(["--archives", shown(&home)]);
    let took = begun.elapsed();
    println!("ten gigabytes of zeros: {took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(swept.verdict(), ("none", "incomplete", 3));
    assert!(swept.gaps().iter().any(|gap| gap["reason"] == "too-large" && gap["path"] == shown(&bomb)));
}
