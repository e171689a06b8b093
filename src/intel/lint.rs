//! The linter for packs: what loading cannot refuse but a pack writer must hear.

use std::collections::BTreeSet;

use super::pack::{Indicator, Kind, Pack, Place, Status};
use super::{projects, stores, version};
use crate::model::distribution::normalize_name;
use crate::model::finding::Confidence;
use crate::model::verdict::Level;

/// One complaint.
#[derive(PartialEq, Eq, Debug)]
pub struct Complaint {
    /// The indicator, or the pack itself.
    pub id: String,
    /// What is wrong.
    pub why: String,
}

/// Commands that start Python on the host they are given on.
const STARTS_PYTHON: [&str; 12] =
    ["python ", "python3 ", "pip ", "pip3 ", "uv ", "pipx ", "poetry ", "conda ", "aws ", "gcloud ", "az ", "ansible"];

/// Everything the linter has to say about one pack.
#[must_use]
pub fn lint(pack: &Pack) -> Vec<Complaint> {
    let mut out = Vec::new();
    let mut complain = |id: &str, why: String| out.push(Complaint { id: id.to_owned(), why });
    for why in faults_of_pack(pack) {
        complain(&pack.id, why);
    }
    let mut seen = BTreeSet::new();
    for one in &pack.indicators {
        for why in faults(pack, one) {
            complain(&one.id, why);
        }
        if !seen.insert(matchers(one)) {
            complain(&one.id, "another indicator of the pack looks for the same".to_owned());
        }
    }
    for row in pack.packages.iter().filter(|row| row.indicator(&pack.id).all_versions) {
        if projects::is_living(&row.name) && row.indicator(&pack.id).level > Level::None {
            complain(
                &row.id(&pack.id),
                format!("it calls every version of `{}` bad, which is a living project", row.name),
            );
        }
    }
    out
}

fn faults_of_pack(pack: &Pack) -> Vec<String> {
    let mut out = Vec::new();
    let mut complain = |why: &str| out.push(why.to_owned());
    if pack.references.is_empty() {
        complain("a pack needs references");
    }
    if pack.references.iter().any(|text| text.trim().is_empty()) {
        complain("one of its references is empty");
    }
    if pack.title.trim().is_empty() || pack.summary.trim().is_empty() {
        complain("it has no title or no summary");
    }
    if pack.modified < pack.published {
        complain("it was modified before it was published");
    }
    if pack.window.as_ref().is_some_and(|window| window.until.is_some_and(|until| until < window.from)) {
        complain("its window ends before it begins");
    }
    if pack.remediation.iter().zip(1..).any(|(step, order)| step.order != order) {
        complain("its remediation steps are not numbered from 1 in order");
    }
    if pack.remediation.is_empty() && pack.status == Status::Confirmed {
        complain("it says nothing of what to do: a confirmed incident needs remediation");
    }
    for id in pack.targets.iter().filter(|id| !stores::is_known(id)) {
        out.push(format!("the target `{id}` is no credential store of the catalogue"));
    }
    for step in pack.remediation.iter().filter(|step| step.place == Place::ThisHost) {
        let text = format!(" {} ", step.step.to_lowercase());
        let started = STARTS_PYTHON
            .iter()
            .find(|tool| text.contains(&format!("`{tool}")) || text.contains(&format!(" run {tool}")));
        if let Some(tool) = started {
            out.push(format!("step {} for this host starts `{}`, and with it any implant", step.order, tool.trim()));
        }
    }
    let best = pack.indicators.iter().map(|one| one.confidence).max();
    if pack.status == Status::Uncorroborated && best == Some(Confidence::Confirmed) {
        out.push("the incident has one source, but an indicator of it is confirmed".to_owned());
    }
    out
}

fn faults(pack: &Pack, one: &Indicator) -> Vec<String> {
    let mut out = Vec::new();
    if !one.id.starts_with(&format!("{}-", pack.id)) {
        out.push(format!("its id does not begin with the pack's id `{}-`", pack.id));
    }
    if let Some(stray) = one.references.iter().find(|text| !pack.references.contains(text)) {
        out.push(format!("the reference `{stray}` is not among those of the pack"));
    }
    let independent: BTreeSet<String> = one.references.iter().map(|text| publisher(text)).collect();
    if one.references.is_empty() {
        out.push("it has no reference".to_owned());
    } else if one.confidence == Confidence::Confirmed && independent.len() < 2 {
        out.push("`confirmed` needs two references that are independent of each other".to_owned());
    }
    if one.meaning.trim().is_empty() {
        out.push("it does not say what its presence means".to_owned());
    }
    let named = matches!(one.kind, Kind::Network | Kind::String | Kind::Git);
    if named && one.level > Level::Exposed {
        out.push("a name or text is at most `exposed`: notes and block lists have it too".to_owned());
    }
    out.extend(faults_of_versions(one));
    out
}

/// Versions that are not written as they should be, and those that cover more than the bad releases.
fn faults_of_versions(one: &Indicator) -> Vec<String> {
    let mut out = Vec::new();
    if one.kind != Kind::Package || one.is_of_system() {
        return out;
    }
    let name = one.name.as_deref().map(normalize_name).unwrap_or_default();
    let is_living = projects::is_living(&name);
    if one.all_versions && is_living && one.level > Level::None {
        out.push(format!("it calls every version of `{name}` bad, which is a living project"));
    }
    let ranges = one.versions.iter().filter(|text| version::is_range(text)).chain(&one.specifier);
    for range in ranges {
        let has_end = range.contains('<') || range.contains("==") || range.contains("~=");
        let has_start = range.contains('>') || range.contains("==") || range.contains("~=");
        if !has_end {
            out.push(format!("`{range}` has no upper end: the project's next release would be bad too"));
        } else if !has_start && is_living {
            out.push(format!("`{range}` has no lower end: every older release of `{name}` would be bad too"));
        }
    }
    for text in one.versions.iter().filter_map(|text| text.strip_prefix(version::RAW)) {
        if version::is_valid(text) {
            out.push(format!("`{text}` is a version by PEP 440 and needs no ==="));
        }
    }
    out
}

/// What makes two references the same source: the host of an address, the owner of a repository, the register of an id.
fn publisher(reference: &str) -> String {
    let text = reference.trim().to_lowercase();
    if let Some((_, rest)) = text.split_once("://") {
        let host = rest.split('/').next().unwrap_or_default().trim_start_matches("www.");
        // On a forge everybody writes: there the owner and the page count.
        if matches!(host, "github.com" | "gitlab.com" | "gist.github.com") {
            return rest.to_owned();
        }
        return host.to_owned();
    }
    text
}

/// What an indicator looks for, as one text.
fn matchers(one: &Indicator) -> String {
    let bare = Indicator {
        id: String::new(),
        meaning: String::new(),
        references: Vec::new(),
        stage: crate::model::finding::Stage::Referenced,
        level: Level::None,
        confidence: Confidence::Possible,
        ..one.clone()
    };
    serde_json::to_string(&bare).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intel::load;
    use crate::model::time::Time;

    fn pack() -> Pack {
        load::built_in().unwrap().into_iter().map(|one| one.pack).find(|pack| pack.id == "litellm-2026-03").unwrap()
    }

    /// The complaints after a change.
    fn after(change: impl Fn(&mut Pack)) -> Vec<String> {
        let mut one = pack();
        change(&mut one);
        lint(&one).into_iter().map(|row| row.why).collect()
    }

    fn package(pack: &mut Pack) -> &mut Indicator {
        pack.indicators.iter_mut().find(|one| one.kind == Kind::Package).unwrap()
    }

    #[test]
    fn the_built_in_packs_have_no_fault() {
        for one in load::built_in().unwrap() {
            assert_eq!(lint(&one.pack), [], "{}", one.pack.id);
        }
    }

    #[test]
    fn the_example_of_the_handbook_has_no_fault() {
        let text = include_str!("../../iocs/README.md");
        let example = text.split("```json\n").find(|part| part.contains("\"id\": \"acme-tool-2026-05\"")).unwrap();
        let bytes = example.split("```").next().unwrap().as_bytes();
        let pack = load::parse("README.md", bytes).unwrap();
        assert_eq!(pack.indicators.len(), 5);
        assert_eq!(lint(&pack), []);
    }

    #[test]
    fn every_fault_is_named_once() {
        let says = |change: &dyn Fn(&mut Pack), what: &str| {
            let all = after(change);
            assert!(all.len() == 1 && all[0].contains(what), "{what}: {all:?}");
        };
        says(&|pack| pack.modified = Time::from_unix(0), "modified before");
        says(&|pack| pack.window.as_mut().unwrap().until = Some(Time::from_unix(0)), "ends before");
        says(&|pack| pack.remediation.clear(), "what to do");
        says(&|pack| pack.remediation[3].order = 9, "numbered");
        says(&|pack| pack.remediation[3].step = "Run `pip uninstall litellm`.".into(), "starts `pip`");
        says(&|pack| pack.targets.push("ssh-keys".into()), "no credential store");
        says(&|pack| package(pack).references.truncate(1), "independent");
        says(&|pack| package(pack).references.push("a friend".into()), "not among those");
        says(&|pack| package(pack).meaning.clear(), "what its presence means");
        says(&|pack| package(pack).versions.push("===1.2.3".into()), "needs no ===");
        says(&|pack| package(pack).versions.push(">=1.82.7".into()), "no upper end");
        says(&|pack| package(pack).versions.push("<=1.82.8".into()), "no lower end");
        says(&|pack| pack.title.clear(), "no title");
    }

    #[test]
    fn every_version_of_a_living_project_is_a_fault() {
        let all = after(|pack| {
            let one = package(pack);
            one.versions.clear();
            one.all_versions = true;
        });
        assert_eq!(all, ["it calls every version of `litellm` bad, which is a living project"]);
    }

    #[test]
    fn one_publisher_is_one_source() {
        let all = after(|pack| {
            let urls = ["https://docs.litellm.ai/a".to_owned(), "https://docs.litellm.ai/b".to_owned()];
            pack.references.extend(urls.clone());
            package(pack).references = urls.to_vec();
        });
        assert_eq!(all, ["`confirmed` needs two references that are independent of each other"]);
    }

    #[test]
    fn the_same_indicator_twice_is_a_fault() {
        let all = after(|pack| {
            let mut again = package(pack).clone();
            again.id += "-again";
            pack.indicators.push(again);
        });
        assert_eq!(all, ["another indicator of the pack looks for the same"]);
    }
}
