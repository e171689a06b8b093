//! `kernels/NAME/kernel.json`, how Jupyter finds the interpreter of a kernel (Jupyter kernel specifications): a pointer to
//! an environment, which may lie anywhere.

use serde::Deserialize;

use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::python::{Prefix, PrefixMark};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "jupyter-kernels",
        sentence: "Kernels of Jupyter, which name the interpreter of an environment (kernel.json).",
        ask: Ask::FileNames(&[NamePattern::Exact("kernel.json")]),
    },
    cap: 1 << 20,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let folder = input.folder();
    let is_placed = folder.parent().is_some_and(|above| above.file_name().eq_ignore_ascii_case(b"kernels"));
    if !is_placed {
        return Harvest::default();
    }
    let content = match input.open_candidate().and_then(|file| input.read_open(file, input.cap)) {
        Ok(content) => content,
        // It only points: what it points to is found by itself.
        Err(why) => return Harvest::missed(input.gap(why).harmless()),
    };
    let mut harvest = Harvest::default();
    match parse(&content.bytes) {
        Some(Some(program)) => {
            let root = &input.target.root;
            let written = root.target_path(program.as_bytes());
            let real = root.resolve(&written).map(|place| root.path_of(&place));
            if let Err(why) = real {
                let gap = input.gap(why).because(format!("the interpreter {} was not reached", written.to_text()));
                harvest.gaps.push(gap.harmless());
            }
            harvest.facts.prefixes.push(Prefix {
                path: folder,
                shown_by: PrefixMark::Kernel,
                folder: input.folder(),
                identity: input.candidate.dir.stat().map(|stat| stat.identity),
                // Where the name lies, not where it leads: that is the environment which the kernel runs in.
                base: TargetPath::parent(&written),
                modified: Some(content.stat.modified),
                owner_uid: Some(content.stat.uid),
            });
        }
        // A kernel of another language, or one that runs whatever `python` is.
        Some(None) => {}
        None => harvest.gaps.push(input.gap(GapReason::Malformed).harmless()),
    }
    harvest
}

#[derive(Deserialize)]
struct Kernel {
    argv: Vec<String>,
    #[serde(default)]
    language: String,
}

/// The interpreter by its absolute path; an inner none where there is none to name.
#[must_use]
#[allow(
    clippy::option_option,
    reason = "no kernel file at all is another thing than a kernel that names no interpreter"
)]
pub fn parse(bytes: &[u8]) -> Option<Option<String>> {
    let kernel: Kernel = serde_json::from_slice(bytes).ok()?;
    let program = kernel.argv.into_iter().next()?;
    let is_absolute = program.starts_with('/') || program.get(1..2) == Some(":");
    let is_python = kernel.language.eq_ignore_ascii_case("python") || program.to_lowercase().contains("python");
    Some((is_absolute && is_python && !program.contains('\0')).then_some(program))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_kernel_names_its_interpreter() {
        let of = |argv: &str, language: &str| {
            parse(format!("{{\"argv\": [{argv}], \"language\": \"{language}\", \"metadata\": {{}}}}").as_bytes())
        };
        assert_eq!(of("\"/opt/env/bin/python\", \"-m\"", "python"), Some(Some("/opt/env/bin/python".to_owned())));
        assert_eq!(of("\"C:\\\\env\\\\python.exe\"", ""), Some(Some("C:\\env\\python.exe".to_owned())));
        assert_eq!(of("\"python\"", "python"), Some(None));
        assert_eq!(of("\"/usr/bin/R\"", "R"), Some(None));
        assert_eq!(of("", "python"), None);
        assert_eq!(parse(b"{"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(parse(&bytes).flatten().is_none_or(|program| !program.is_empty()));
        }
    }
}
