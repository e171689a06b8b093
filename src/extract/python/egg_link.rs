//! `NAME.egg-link`, how `setup.py develop` links a source tree into an environment (setuptools, development mode). Two
//! lines: the folder that holds `NAME.egg-info`, and the way from there to `setup.py`.

use super::dist_info::strip_suffix;
use super::metadata::{self, Around};
use super::site_dir;
use crate::extract::Extractor;
use crate::extract::format::headers::Headers;
use crate::extract::input::Input;
use crate::model::coverage::{Gap, GapReason};
use crate::model::distribution::{DistState, FolderSays, MetadataForm, normalize_name};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::target::dir::Dir;

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "egg-link",
        sentence: "Links from environments to source trees (NAME.egg-link).",
        ask: Ask::FileNames(&[NamePattern::Suffix(".egg-link")]),
    },
    cap: 64 << 10,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let candidate = input.candidate;
    let mut harvest = Harvest::default();
    let content = match input.open_candidate().and_then(|file| input.read_open(file, input.cap)) {
        Ok(content) => content,
        Err(why) => return Harvest::missed(input.gap(why)),
    };
    harvest.facts.site_dirs.extend(site_dir::holding(input.folder(), candidate.dir));
    // Its name holds no version, and keeps the `-` of the project's name.
    let stem = String::from_utf8_lossy(strip_suffix(candidate.name, b".egg-link")).into_owned();
    let name = FolderSays { name: stem, version: String::new() };
    let mut headers = Headers::default();
    let mut source = None;
    match parse(&content.bytes) {
        Some(written) => {
            let path = input.target.root.target_path(written);
            match follow(input, &path, &name.name) {
                Ok((real, found, gap)) => {
                    source = Some(real);
                    headers = found;
                    harvest.gaps.extend(gap);
                }
                Err(why) => {
                    let gap = input.gap(why).because(format!("the source tree {} was not reached", path.to_text()));
                    // What is not on this target cannot be imported here; what is refused can.
                    harvest.gaps.push(if why == GapReason::PermissionDenied { gap } else { gap.harmless() });
                    source = Some(path);
                }
            }
        }
        None => {
            let gap = input.gap(GapReason::Malformed).because("it names no absolute folder");
            harvest.gaps.push(gap.harmless());
        }
    }
    let around =
        Around { path: candidate.path.clone(), form: MetadataForm::EggLink, changed: Some(content.stat.modified) };
    let mut found = metadata::distribution(around, &headers, name);
    found.state = DistState::Editable;
    found.source = source;
    metadata::keep(input, found, &mut harvest);
    harvest
}

/// The folder of the source tree, as written. None where the first line is no absolute path: nothing else is written by
/// setuptools, and a relative one would mean something only to the process that reads it.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<&[u8]> {
    let text = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    let line = text.split(|byte| matches!(byte, b'\n' | b'\r')).next()?.trim_ascii();
    let is_windows = line.get(1) == Some(&b':') || line.starts_with(b"\\\\");
    (!line.contains(&0) && (line.starts_with(b"/") || is_windows)).then_some(line)
}

/// What the source tree says of the distribution: where it really lies, and the headers of its `.egg-info`.
fn follow(input: &Input<'_>, path: &TargetPath, name: &str) -> Result<(TargetPath, Headers, Option<Gap>), GapReason> {
    let root = &input.target.root;
    let place = root.resolve(path)?;
    let real = root.path_of(&place);
    let dir = root.open_dir(&place)?;
    let Some(info) = egg_info_of(input, &dir, name) else {
        let gap = input.gap(GapReason::Missing).because(format!("{} holds no metadata of it", path.to_text()));
        return Ok((real, Headers::default(), Some(gap)));
    };
    let folder = real.join(&info);
    let inner = dir.open_dir(&info)?;
    let told = metadata::read_headers(input, &inner, &folder, b"PKG-INFO");
    Ok((real, told.headers, told.gap.map(Gap::harmless)))
}

/// The folder `NAME.egg-info`, as setuptools spells it: with `_` for `-`, and lately in lower case.
fn egg_info_of(input: &Input<'_>, dir: &Dir, name: &str) -> Option<Vec<u8>> {
    let plain = name.replace('-', "_");
    let spellings = [plain.clone(), name.to_owned(), plain.to_lowercase(), normalize_name(name).replace('-', "_")];
    let entries = spellings.into_iter().map(|stem| format!("{stem}.egg-info").into_bytes());
    entries.into_iter().find_map(|entry| input.target.root.find(dir, entry).ok()).map(|(entry, _)| entry)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_line_names_the_source_tree() {
        assert_eq!(parse(b"/home/mia/src\n."), Some(b"/home/mia/src".as_slice()));
        assert_eq!(parse(b"C:\\src\\x\r\n.\r\n"), Some(b"C:\\src\\x".as_slice()));
        assert_eq!(parse(b"../src\n."), None);
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"/a\0b\n"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(parse(&bytes).is_none_or(|path| !path.contains(&b'\n')));
        }
    }
}
