//! Stores that real engines made: buildah and podman, containerd, Docker. An image with a bad release, and one made of it
//! that deletes the release again. While the first is there, the release is installed in it; once only the second is left,
//! its layers still hold the release, and nothing shows it any more.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::stage::{Swept, done, folder, is_root, line, metadata, shown, started, sweep, tool, write};

const SITE: &str = "usr/lib/python3.11/site-packages";
const BAD: &str = "litellm-1.82.8.dist-info";
const BASE: &str = "docker.io/shop/base:1";
const CLEAN: &str = "docker.io/shop/clean:2";

/// Whether this lane can lay layers over each other at all: only root may mount.
fn can_mount() -> bool {
    let can = is_root();
    if !can {
        println!("LEFT OUT: stores of container engines, which only root can make");
    }
    can
}

/// Buildah and Podman with a store of their own.
struct Store {
    home: PathBuf,
    root: PathBuf,
}

impl Store {
    fn of(home: &Path) -> Self {
        Self { home: home.to_owned(), root: home.join("host/var/lib/containers/storage") }
    }

    fn run(&self, program: &str, args: &[&str]) -> Command {
        let mut command = tool(program, &self.home);
        command.arg("--root").arg(&self.root).arg("--runroot").arg(self.home.join("run"));
        command.args(["--storage-driver", "overlay"]).args(args);
        command
    }

    fn buildah(&self, args: &[&str]) -> String {
        line(&mut self.run("buildah", args))
    }

    /// One image with the bad release, and one made of it that deletes it.
    fn build(&self) {
        let context = self.home.join("context");
        write(&context.join(SITE).join(BAD).join("METADATA"), metadata("litellm", "1.82.8"));
        let first = self.buildah(&["from", "scratch"]);
        self.buildah(&["copy", &first, shown(&context), "/"]);
        self.buildah(&["commit", "--rm", &first, BASE]);
        let second = self.buildah(&["from", "--pull-never", BASE]);
        let merged = PathBuf::from(self.buildah(&["mount", &second]));
        std::fs::remove_dir_all(merged.join(SITE).join(BAD)).unwrap();
        write(&merged.join(SITE).join("idna-3.7.dist-info/METADATA"), metadata("idna", "3.7"));
        // What is mounted while the sweep goes on is not counted twice.
        let swept = sweep(["--root", shown(&self.home.join("host"))]);
        let idna: Vec<&Value> = swept.rows("distributions").iter().filter(|row| row["name"] == "idna").collect();
        assert_eq!(idna.len(), 1, "{idna:?}");
        self.buildah(&["umount", &second]);
        self.buildah(&["commit", "--rm", &second, CLEAN]);
    }

    fn save(&self, image: &str) -> PathBuf {
        let to = self.home.join(format!("{}.tar", image.replace(['/', ':'], "-")));
        self.buildah(&["push", image, &format!("docker-archive:{}:{image}", shown(&to))]);
        to
    }
}

/// A daemon that is ended with the case.
struct Daemon(Child);

impl Daemon {
    /// Starts one and waits until `ready` ends well.
    fn start(command: &mut Command, mut ready: impl FnMut() -> Command) -> Self {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let daemon = Self(child.unwrap_or_else(|why| panic!("cannot run {command:?}: {why}. `.ci/run` installs it.")));
        for _ in 0..100 {
            if started(&mut ready()).status.success() {
                return daemon;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("{command:?} is not ready after 20 seconds");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _sent = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ended = self.0.wait();
    }
}

fn host(home: &Path) -> Swept {
    sweep(["--root", shown(&home.join("host"))])
}

/// The rows of the bad release, which are all in layers.
fn bad(swept: &Swept) -> Vec<&Value> {
    swept.rows("distributions").iter().filter(|row| row["name"] == "litellm").collect()
}

/// It is installed in the image that holds it, whatever another one deletes.
fn assert_installed(swept: &Swept, engine: &str, image: &str, container: &str) {
    assert_eq!(swept.verdict().0, "compromised");
    let all = bad(swept);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0]["state"], "installed");
    let titles: Vec<&str> = swept.rows("findings").iter().map(|row| row["title"].as_str().unwrap()).collect();
    assert_eq!(titles, [format!("litellm 1.82.8 is installed in the image {image} (container {container})")]);
    let environments = swept.rows("environments");
    let layer = environments.iter().find(|env| env["id"] == all[0]["environment"]).unwrap();
    assert_eq!([&layer["kind"], &layer["container"]["engine"]], ["container-layer", engine], "{layer}");
    assert!(swept.rows("exposures").iter().all(|row| row["accounts"].as_array().unwrap().is_empty()));
}

/// It lies in a layer, and no image shows it.
fn assert_hidden(swept: &Swept, image: &str) {
    assert_eq!(swept.verdict().0, "exposed");
    let all = bad(swept);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0]["state"], "leftover");
    assert!(all[0]["hidden_by"].as_str().unwrap().ends_with(BAD), "{}", all[0]);
    let wanted = format!("litellm 1.82.8 is present in a layer of the image {image}, hidden in the merged view");
    assert_eq!(swept.rows("findings")[0]["title"], wanted);
}

#[test]
fn layers_of_buildah_and_podman() {
    if !can_mount() {
        return;
    }
    let (_keep, home) = folder();
    let store = Store::of(&home);
    store.build();
    std::fs::create_dir(home.join("data")).unwrap();
    let volume = format!("{}:/data:ro", shown(&home.join("data")));
    done(&mut store.run("podman", &["create", "--name", "web-1", "-v", &volume, "--pull=never", BASE, "/x"]));
    assert_installed(&host(&home), "podman", BASE, "web-1");
    done(&mut store.run("podman", &["rm", "web-1"]));
    store.buildah(&["rmi", BASE]);
    assert_hidden(&host(&home), CLEAN);
}

#[test]
fn layers_of_containerd_and_docker() {
    if !can_mount() {
        return;
    }
    let (_keep, home) = folder();
    let store = Store::of(&home.join("build"));
    std::fs::create_dir(&store.home).unwrap();
    store.build();
    let archives = [BASE, CLEAN].map(|image| store.save(image));
    let socket = home.join("c.sock");
    let ctr = |args: &[&str]| {
        let mut command = tool("ctr", &home);
        command.arg("-a").arg(&socket).args(args);
        command
    };
    let mut containerd = tool("containerd", &home);
    let containerd_root = home.join("host/var/lib/containerd");
    containerd.arg("--root").arg(&containerd_root).arg("--state").arg(home.join("s")).arg("-a").arg(&socket);
    let daemon = Daemon::start(&mut containerd, || ctr(&["version"]));
    archives.iter().for_each(|archive| drop(done(&mut ctr(&["images", "import", shown(archive)]))));
    let mount = "type=bind,src=/srv/data,dst=/data,options=rbind:ro";
    done(&mut ctr(&["containers", "create", "--mount", mount, BASE, "web-1", "/x"]));
    let swept = host(&home);
    assert_installed(&swept, "containerd", BASE, "web-1");
    assert_eq!(swept.rows("exposures")[0]["reach"], "in the container web-1: /srv/data (as /data, read-only)");
    done(&mut ctr(&["containers", "rm", "web-1"]));
    done(&mut ctr(&["images", "rm", "--sync", BASE]));
    assert_hidden(&host(&home), CLEAN);

    std::fs::rename(&containerd_root, home.join("containerd-was")).unwrap();
    docker(&home, &socket, &archives);
    drop(daemon);
}

fn docker(home: &Path, containerd: &Path, archives: &[PathBuf]) {
    let (socket, data) = (home.join("d.sock"), home.join("host/var/lib/docker"));
    let client = |args: &[&str]| {
        let mut command = tool("docker", home);
        command.arg("-H").arg(format!("unix://{}", shown(&socket))).args(args);
        command
    };
    let mut dockerd = tool("dockerd", home);
    dockerd.arg("--data-root").arg(&data).arg("--exec-root").arg(home.join("e")).arg("--pidfile").arg(home.join("pid"));
    dockerd.arg("-H").arg(format!("unix://{}", shown(&socket))).arg("--containerd").arg(containerd);
    // What it would do to the network of this machine is no part of this.
    dockerd.args(["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=overlay2"]);
    let daemon = Daemon::start(&mut dockerd, || client(&["version"]));
    archives.iter().for_each(|archive| drop(done(&mut client(&["load", "-i", shown(archive)]))));
    done(&mut client(&["create", "--name", "web-1", "-v", "/srv/data:/data:ro", "shop/base:1", "/x"]));
    let swept = host(home);
    assert_installed(&swept, "docker", "shop/base:1", "web-1");
    assert_eq!(swept.rows("exposures")[0]["reach"], "in the container web-1: /srv/data (as /data, read-only)");
    done(&mut client(&["rm", "web-1"]));
    done(&mut client(&["rmi", "shop/base:1"]));
    assert_hidden(&host(home), "shop/clean:2");
    drop(daemon);
    // It mounts its own folder over itself, and does not always take that back.
    let _unmounted = started(Command::new("umount").arg("--lazy").arg(&data));
}
