//! Packages of the system's own managers, by their databases: dpkg, apk, pacman, Homebrew, RPM. Only those that some pack
//! names are kept. A database in a container layer speaks of that container; the join says which.

pub mod rows;
pub mod rpm;

use super::Extractor;
use super::input::Input;
use crate::model::coverage::GapReason;
use crate::model::distribution::DistState;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};
use crate::model::path::TargetPath;
use crate::model::system_package::{SystemPackage, upstream};
use crate::model::text::Excerpt;
use crate::model::time::Time;
use rows::Row;

/// The row. A database of ten thousand packages has some 20 MB; it is read line by line.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "system-packages",
        sentence: "Packages that a pack names in the databases of dpkg, apk, pacman, Homebrew and RPM.",
        ask: Ask::Paths(&[&[
            "lib/dpkg/status",
            "dpkg/status.d/*",
            "lib/apk/db/installed",
            "lib/pacman/local/*/desc",
            "Cellar/*/*/INSTALL_RECEIPT.json",
            "lib/rpm/rpmdb.sqlite",
            "lib/rpm/Packages",
            "lib/rpm/Packages.db",
            "lib/sysimage/rpm/rpmdb.sqlite",
            "lib/sysimage/rpm/Packages",
            "lib/sysimage/rpm/Packages.db",
        ]]),
    },
    cap: 256 << 20,
    read,
};

/// Most packages that are kept of one database; packs name a handful.
const MOST: usize = 1000;

fn read(input: &Input<'_>) -> Harvest {
    let path = &input.candidate.path;
    let names: Vec<&[u8]> = path.components().collect();
    match names.as_slice() {
        [.., b"lib", b"dpkg", b"status"] => database(input, "deb", rows::DPKG),
        [.., b"dpkg", b"status.d", name] if !name.ends_with(b".md5sums") => database(input, "deb", rows::DPKG),
        [.., b"lib", b"apk", b"db", b"installed"] => database(input, "apk", rows::APK),
        [.., b"pacman", b"local", folder, b"desc"] if is_watched_folder(input, folder) => pacman(input),
        [.., b"Cellar", name, version, b"INSTALL_RECEIPT.json"] => homebrew(input, name, version),
        [.., b"lib", b"rpm", _] | [.., b"sysimage", b"rpm", _] => rpm::read(input),
        _ => Harvest::default(),
    }
}

/// A file of stanzas.
fn database(input: &Input<'_>, ecosystem: &'static str, fields: rows::Fields) -> Harvest {
    let mut harvest = Harvest::default();
    let file = match input.open_candidate() {
        Ok(file) => file,
        Err(why) => return Harvest::missed(input.gap(why)),
    };
    let is_cut = file.stat.size > input.cap;
    let modified = file.stat.modified;
    let end = rows::stanzas(input.stream_open(file, input.cap), fields, |row| {
        let at = if ecosystem == "deb" { listed_at(input, &row.name) } else { None };
        keep(input, ecosystem, row, at.unwrap_or(modified), &mut harvest);
    });
    if let Err(why) = end {
        harvest.gaps.push(input.gap(why));
    }
    if is_cut {
        harvest.gaps.push(input.gap(GapReason::TooLarge));
    }
    harvest
}

/// When dpkg wrote the list of a package's files: with each installation. None where it keeps no such list.
fn listed_at(input: &Input<'_>, name: &str) -> Option<Time> {
    if !input.watch.has_package("deb", name) {
        return None;
    }
    let info = input.candidate.dir.open_dir(b"info").ok()?;
    let architectures = ["", ":amd64", ":arm64", ":i386", ":armhf", ":ppc64el", ":s390x"];
    let lists = architectures.iter().map(|end| format!("{name}{end}.list"));
    lists.filter_map(|list| info.stat_entry(list.as_bytes()).ok()).map(|stat| stat.modified).next()
}

/// Whether a folder `NAME-VERSION-RELEASE` is that of a watched package: there is one file for each package.
fn is_watched_folder(input: &Input<'_>, folder: &[u8]) -> bool {
    let text = String::from_utf8_lossy(folder);
    let name = text.rsplitn(3, '-').last();
    name.is_some_and(|name| input.watch.has_package("pacman", name))
}

fn pacman(input: &Input<'_>) -> Harvest {
    let content = match input.open_candidate().and_then(|file| input.read_open(file, 1 << 20)) {
        Ok(content) => content,
        Err(why) => return Harvest::missed(input.gap(why)),
    };
    let mut harvest = Harvest::default();
    match rows::pacman(&content.bytes) {
        Some((row, at)) => keep(input, "pacman", row, at.unwrap_or(content.stat.modified), &mut harvest),
        None => harvest.gaps.push(input.gap(GapReason::Malformed)),
    }
    harvest
}

/// What Homebrew has poured, by the names of the folders.
fn homebrew(input: &Input<'_>, name: &[u8], version: &[u8]) -> Harvest {
    let mut harvest = Harvest::default();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if let Ok(stat) = input.candidate.dir.stat_entry(input.candidate.name) {
        let row = Row { name: text(name), version: text(version), line: None, state: DistState::Installed };
        keep(input, "brew", row, stat.modified, &mut harvest);
    }
    harvest
}

/// Keeps a row if some pack names the package.
fn keep(input: &Input<'_>, ecosystem: &'static str, row: Row, at: Time, harvest: &mut Harvest) {
    if !input.watch.has_package(ecosystem, &row.name) {
        return;
    }
    if harvest.facts.system_packages.len() >= MOST {
        let says = format!("only its first {MOST} rows of watched names were taken");
        harvest.gaps.push(input.gap(GapReason::TooLarge).because(says));
        return;
    }
    harvest.facts.system_packages.push(package(input.candidate.path.clone(), ecosystem, &row, Some(at)));
}

fn package(path: TargetPath, ecosystem: &'static str, row: &Row, at: Option<Time>) -> SystemPackage {
    SystemPackage {
        path,
        ecosystem,
        name: row.name.clone(),
        version: upstream(ecosystem, &row.version).to_owned(),
        written: Excerpt::of(row.version.as_bytes()),
        line: row.line,
        state: row.state,
        installed_at: at,
        environment: None,
        hidden_by: None,
    }
}
