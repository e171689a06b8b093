//! The other names of one file: an environment and the cache that it was filled from share inodes, so what is found in the
//! one lies in the other, and deleting one of them leaves it there.

use std::collections::HashMap;

use crate::model::facts::Facts;
use crate::model::finding::Finding;
use crate::model::path::TargetPath;
use crate::model::python::FileIdentity;

/// Adds to `also_at` of every finding what shares its file, among all that was looked at.
pub(super) fn name_others(facts: &Facts, findings: &mut [Finding]) {
    let distributions = facts.distributions.iter().map(|found| (&found.path, found.linked));
    let hooks = facts.startup_hooks.iter().map(|hook| (&hook.path, hook.linked));
    let files = facts.watched_files.iter().map(|file| (&file.path, file.linked));
    let mut names: HashMap<FileIdentity, Vec<&TargetPath>> = HashMap::new();
    let mut identities: HashMap<&TargetPath, FileIdentity> = HashMap::new();
    for (path, linked) in distributions.chain(hooks).chain(files) {
        if let Some(identity) = linked {
            names.entry(identity).or_default().push(path);
            identities.insert(path, identity);
        }
    }
    for finding in findings {
        let all = identities.get(&finding.subject.path).and_then(|identity| names.get(identity));
        let others = all.into_iter().flatten().filter(|path| ***path != finding.subject.path);
        finding.also_at.extend(others.map(|path| (*path).clone()));
        finding.also_at.sort_unstable();
        finding.also_at.dedup();
    }
}
