//! The linter for packs: what loading cannot refuse but a pack writer must hear.

use super::load::Loaded;
use super::pack::{Indicator, Kind, Pack};
use crate::model::finding::Confidence;

/// One complaint.
#[derive(PartialEq, Eq, Debug)]
pub struct Complaint {
    /// The indicator, or the pack itself.
    pub id: String,
    /// What is wrong.
    pub why: String,
}

/// Everything the linter has to say about one pack.
#[must_use]
pub fn lint(loaded: &Loaded) -> Vec<Complaint> {
    let pack = &loaded.pack;
    let mut out = Vec::new();
    let mut complain = |id: &str, why: String| out.push(Complaint { id: id.to_owned(), why });
    if pack.references.is_empty() {
        complain(&pack.id, "a pack needs references".to_owned());
    }
    if pack.modified < pack.published {
        complain(&pack.id, "it was modified before it was published".to_owned());
    }
    if pack.window.as_ref().is_some_and(|window| window.until.is_some_and(|until| until < window.from)) {
        complain(&pack.id, "its window ends before it begins".to_owned());
    }
    if pack.remediation.iter().zip(1..).any(|(step, order)| step.order != order) {
        complain(&pack.id, "its remediation steps are not numbered from 1 in order".to_owned());
    }
    for one in &pack.indicators {
        for why in faults(pack, one) {
            complain(&one.id, why);
        }
    }
    out
}

fn faults(pack: &Pack, one: &Indicator) -> Vec<String> {
    let mut out = Vec::new();
    if !one.id.starts_with(&pack.id) {
        out.push(format!("its id does not begin with the pack's id `{}`", pack.id));
    }
    if let Some(stray) = one.references.iter().find(|text| !pack.references.contains(text)) {
        out.push(format!("the reference `{stray}` is not among those of the pack"));
    }
    let independent = one.references.len();
    if independent == 0 {
        out.push("it has no reference".to_owned());
    } else if one.confidence == Confidence::Confirmed && independent < 2 {
        out.push("`confirmed` needs two independent references".to_owned());
    }
    if one.meaning.trim().is_empty() {
        out.push("it does not say what its presence means".to_owned());
    }
    if one.kind == Kind::Package
        && one.specifier.as_deref().is_some_and(|text| !text.contains('<') && !text.contains("=="))
    {
        out.push("its specifier has no upper end: the project's next release would be bad too".to_owned());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intel::load;
    use crate::model::time::Time;

    #[test]
    fn the_built_in_packs_have_no_fault() {
        for one in load::load(true, &[]).unwrap() {
            assert_eq!(lint(&one), [], "{}", one.pack.id);
        }
    }

    #[test]
    fn faults_are_named() {
        let mut one = load::load(true, &[]).unwrap().remove(0);
        one.pack.modified = Time::from_unix(0);
        one.pack.indicators[0].references.clear();
        let complaints = lint(&one);
        assert_eq!(complaints.len(), 2, "{complaints:?}");
    }
}
