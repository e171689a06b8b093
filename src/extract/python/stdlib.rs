//! A standard library, told by `site.py` beside `os.py`: an interpreter belongs here, even where nothing is installed for
//! it and no folder is called `site-packages`.

use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::extract::layout;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest, NamePattern};
use crate::model::python::{Prefix, PrefixMark};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "standard-libraries",
        sentence: "Standard libraries, which show where an interpreter belongs (site.py beside os.py).",
        ask: Ask::FileNames(&[NamePattern::Exact("site.py")]),
    },
    cap: 0,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let dir = input.candidate.dir;
    // A module called `site` is common enough; the two together, in a folder of that name, are not.
    if let (Some(path), Ok(_)) = (layout::prefix_of_library(&input.folder()), dir.stat_entry(b"os.py")) {
        harvest.facts.prefixes.push(Prefix {
            path,
            shown_by: PrefixMark::Stdlib,
            folder: input.folder(),
            identity: dir.stat().map(|stat| stat.identity),
            base: None,
            modified: None,
            owner_uid: dir.stat().map(|stat| stat.uid),
        });
    }
    harvest
}
