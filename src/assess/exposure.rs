//! First form of exposures and the time line: which incident's code lies in which environment, since when as far as the
//! disk says. Signs of execution are not looked for by this version, and every row says so.

use std::collections::BTreeMap;

use crate::model::container::Container;
use crate::model::facts::Facts;
use crate::model::finding::Finding;
use crate::model::id::Id;
use crate::model::path::TargetPath;
use crate::model::report::{Exposure, TimelineRow};
use crate::model::time::Time;
use crate::model::verdict::Level;

/// One exposure for each incident and environment that has a compromised finding.
#[must_use]
pub fn exposures(findings: &[Finding], windows: &BTreeMap<String, Time>, facts: &Facts) -> Vec<Exposure> {
    let layers: BTreeMap<Id, &Container> =
        facts.environments.iter().filter_map(|env| Some((env.id, env.container.as_ref()?))).collect();
    let narrower: BTreeMap<&TargetPath, &Container> =
        facts.distributions.iter().filter_map(|found| Some((&found.path, found.shown_by.as_deref()?))).collect();
    let mut groups: BTreeMap<(String, Option<Id>), Vec<&Finding>> = BTreeMap::new();
    for one in findings.iter().filter(|one| one.level == Level::Compromised) {
        if let Some(incident) = &one.incident {
            groups.entry((incident.clone(), one.environment)).or_default().push(one);
        }
    }
    groups
        .into_iter()
        .map(|((incident, environment), group)| {
            let mut one = exposure(incident, environment, &group, windows);
            if let Some(layer) = environment.and_then(|id| layers.get(&id)) {
                // What runs in a container runs as no account of the host.
                one.accounts.clear();
                // Where each finding is shown by some of the layer's containers only, these are the ones that matter.
                let own: Option<Vec<&Container>> =
                    group.iter().map(|one| narrower.get(&one.subject.path).copied()).collect();
                let most = own.into_iter().flatten().max_by_key(|own| own.container_count);
                one.reach = Some(most.unwrap_or(layer).reach());
            }
            one
        })
        .collect()
}

fn exposure(
    incident: String,
    environment: Option<Id>,
    group: &[&Finding],
    windows: &BTreeMap<String, Time>,
) -> Exposure {
    let seen = group.iter().filter_map(|one| one.first_seen).min();
    let published = windows.get(&incident).copied();
    let mut because: Vec<String> = group.iter().map(|one| one.title.clone()).collect();
    // Files can carry the times of a wheel or a cache: what was not yet published cannot have been installed.
    let from = match (seen, published) {
        (Some(seen), Some(published)) if seen < published => {
            because.push(format!(
                "its files are dated {seen}, before the publication at {published}, which is used instead"
            ));
            Some(published)
        }
        (Some(seen), _) => {
            because.push(format!("the metadata folder or the file was last changed at {seen}"));
            Some(seen)
        }
        (None, published) => published,
    };
    because.push("this version does not look for signs that it ran".to_owned());
    let mut accounts: Vec<String> = group.iter().flat_map(|one| one.accounts.iter().cloned()).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let environment_text = environment.map(|id| id.to_string()).unwrap_or_default();
    Exposure {
        id: Id::new("exp", &[incident.as_bytes(), environment_text.as_bytes()]),
        incident,
        environment,
        accounts,
        from,
        until: None,
        ran: "unknown",
        because,
        reach: None,
    }
}

/// What is dated: the findings, and the publication of the incidents that they belong to.
#[must_use]
pub fn timeline(findings: &[Finding], windows: &BTreeMap<String, Time>) -> Vec<TimelineRow> {
    let mut rows: Vec<TimelineRow> = findings
        .iter()
        .filter_map(|one| {
            Some(TimelineRow {
                at: one.first_seen?,
                kind: "modified",
                what: one.title.clone(),
                path: Some(one.subject.path.clone()),
                reference: Some(one.id.to_string()),
            })
        })
        .collect();
    let mut incidents: Vec<&String> = findings.iter().filter_map(|one| one.incident.as_ref()).collect();
    incidents.sort_unstable();
    incidents.dedup();
    rows.extend(incidents.into_iter().filter_map(|incident| {
        Some(TimelineRow {
            at: *windows.get(incident)?,
            kind: "published",
            what: format!("{incident}: the bad release could be fetched from here on"),
            path: None,
            reference: Some(incident.clone()),
        })
    }));
    rows.sort_unstable();
    rows
}
