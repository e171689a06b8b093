//! What RECORD says at first sight, without a look at the files it lists: the start-up files that a distribution owns, and
//! rows whose hash is that of a known payload. The malware of an incident ships a RECORD of its own, so a file that is
//! listed is not thereby innocent.

use super::site_dir;
use crate::extract::format::record::{self, Hash, Place, Row};
use crate::extract::input::Input;
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::Distribution;
use crate::model::id::hex;
use crate::model::path::TargetPath;
use crate::model::record::{KnownRow, OwnedHook, RecordState};
use crate::model::watch::Watch;
use crate::target::dir::Dir;
use crate::target::root::Root;

/// Most start-up files of one distribution; honest ones have one or two.
const MOST_HOOKS: usize = 1000;

/// Most rows with known hashes that are kept: each says the same.
const MOST_KNOWN: usize = 100;

/// Reads the RECORD in the metadata folder `dir` of `found`.
pub fn add(input: &Input<'_>, dir: &Dir, found: &mut Distribution) -> Vec<Gap> {
    let path = found.path.join(b"RECORD");
    let stream = match input.stream(dir, &found.path, b"RECORD", record::CAP) {
        Ok(stream) => stream,
        Err(why) if site_dir::is_absent(why) => return Vec::new(),
        Err(why) => {
            found.record.state = RecordState::Unreadable;
            // Name and version are known without it, so of most distributions nothing is lost. Of one that packs name its
            // files cannot be compared, and a link to elsewhere is somebody's doing.
            let is_named = input.watch.packages.contains(&found.normalized);
            let material = is_named || matches!(why, GapReason::LinkElsewhere | GapReason::Exhausted);
            return vec![Gap { material, ..input.gap_at(path, why) }];
        }
    };
    let mut owned = Owned::of(input.watch, &input.target.root, input.folder(), path.clone());
    let end = record::rows(stream, |row| owned.take(&row));
    let gap = |reason, detail: String| input.gap_at(path.clone(), reason).because(detail);
    let mut gaps = Vec::new();
    // A row that was not read could name a known payload.
    if let Some(fault) = end.fault {
        gaps.push(gap(GapReason::Malformed, fault.to_owned()));
    } else if dir.stat_entry(b"RECORD").is_ok_and(|stat| stat.size > record::CAP) {
        gaps.push(gap(GapReason::TooLarge, "rows beyond 64 MiB were not read".to_owned()));
    }
    if owned.is_too_many {
        let detail = format!("only the first {MOST_HOOKS} start-up files that it lists were kept");
        gaps.push(gap(GapReason::TooLarge, detail).harmless());
    }
    if owned.absolute > 0 {
        let detail = format!("{} rows name absolute paths; they are not followed", owned.absolute);
        gaps.push(gap(GapReason::Malformed, detail).harmless());
    }
    found.record.state = if end.fault.is_some() { RecordState::Unreadable } else { RecordState::Unverified };
    found.hooks = owned.hooks;
    found.known_rows = owned.known_rows;
    gaps
}

/// What is kept of the rows.
struct Owned<'a> {
    watch: &'a Watch,
    root: &'a Root,
    site: TargetPath,
    record: TargetPath,
    hooks: Vec<OwnedHook>,
    known_rows: Vec<KnownRow>,
    /// Rows with an absolute path that leads elsewhere: nothing follows them.
    absolute: u64,
    is_too_many: bool,
}

impl<'a> Owned<'a> {
    fn of(watch: &'a Watch, root: &'a Root, site: TargetPath, record: TargetPath) -> Self {
        Self { watch, root, site, record, hooks: Vec::new(), known_rows: Vec::new(), absolute: 0, is_too_many: false }
    }

    fn take(&mut self, row: &Row<'_>) {
        let sha256 = match row.hash {
            Hash::Sha256(digest) => Some(digest),
            Hash::None | Hash::Other => None,
        };
        let known = sha256.filter(|digest| self.watch.sha256.contains(digest));
        let is_hook = is_hook(&row.path);
        let is_absolute = record::is_absolute(&row.path);
        // Most rows are of no interest: their paths are not even put together.
        let path =
            if is_hook || is_absolute || known.is_some() { path_of(self.root, &self.site, &row.path) } else { None };
        let is_elsewhere = is_absolute && path.as_ref().is_none_or(|path| !path.is_under(&self.site));
        self.absolute += u64::from(is_elsewhere);
        if let Some(digest) = known
            && self.known_rows.len() < MOST_KNOWN
        {
            let path = path.clone().filter(|_| !is_elsewhere).unwrap_or_else(|| self.record.clone());
            self.known_rows.push(KnownRow { path, sha256: hex(&digest), line: row.line });
        }
        if !is_hook || is_elsewhere {
            return;
        }
        if self.hooks.len() == MOST_HOOKS {
            self.is_too_many = true;
        } else if let Some(path) = path {
            self.hooks.push(OwnedHook { path, sha256: sha256.map(|digest| hex(&digest)) });
        }
    }
}

/// The path that a row means, seen from its site directory.
#[must_use]
pub fn path_of(root: &Root, site: &TargetPath, written: &[u8]) -> Option<TargetPath> {
    let (top, names) = match record::place(written) {
        Place::Absolute => return Some(root.target_path(written)),
        Place::Inside(names) => (site.clone(), names),
        Place::Above(up, names) => ((0..up).fold(site.clone(), |path, _| path.parent().unwrap_or(path)), names),
    };
    (!names.is_empty()).then(|| names.into_iter().fold(top, |path, name| path.join(name)))
}

fn is_hook(path: &[u8]) -> bool {
    let ends = |end: &[u8]| {
        path.len()
            .checked_sub(end.len())
            .and_then(|at| path.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    let name = path.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or_default();
    let folder = path.strip_suffix(name).unwrap_or_default().trim_ascii_end();
    let begins = |start: &[u8]| name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    let is_module =
        |start: &[u8]| begins(start) || folder.strip_suffix(b"/").is_some_and(|folder| folder.ends_with(start));
    ends(b".pth") || ends(b".start") || is_module(b"sitecustomize") || is_module(b"usercustomize")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_up_files_and_known_hashes_are_kept() {
        let mut watch = Watch::default();
        let digest = [7; 32];
        watch.sha256.insert(digest);
        let root = Root::open(std::path::Path::new("/")).unwrap();
        let mut owned = Owned::of(
            &watch,
            &root,
            TargetPath::new(b"/s/lib/python3.11/site-packages"),
            TargetPath::new(b"/s/RECORD"),
        );
        let mut take = |path: &[u8], hash| owned.take(&Row { path: path.into(), hash, size: None, line: 3 });
        take(b"x.pth", Hash::Sha256([1; 32]));
        take(b"a/b.py", Hash::Sha256(digest));
        take(b"/etc/x.pth", Hash::Sha256(digest));
        take(b"/s/lib/python3.11/site-packages/own.pth", Hash::None);
        take(b"../site-packages/y.PTH", Hash::None);
        let hooks: Vec<String> = owned.hooks.iter().map(|hook| hook.path.to_text().into_owned()).collect();
        assert_eq!(hooks, ["x.pth", "own.pth", "y.PTH"].map(|name| format!("/s/lib/python3.11/site-packages/{name}")));
        let known: Vec<String> = owned.known_rows.iter().map(|row| row.path.to_text().into_owned()).collect();
        assert_eq!(known, ["/s/lib/python3.11/site-packages/a/b.py", "/s/RECORD"]);
        assert_eq!(owned.absolute, 1);
    }
}
