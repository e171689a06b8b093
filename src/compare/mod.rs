//! Two stored reports of one host, held against each other: what is new, what is gone, what was changed, and what one of the
//! two sweeps could not have seen. Pure: the host is not needed.
//!
//! Rows are matched by their stable ids. "Gone" is said only where the later sweep looked, "new" only where the earlier one
//! did: all else is told as not looked at, with the reason.

pub mod makers;
mod row;
mod sight;
pub mod told;

use std::collections::{HashMap, HashSet, VecDeque};

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

pub use row::{Row, Section};
use sight::Sight;
use told::Told;

use crate::model::path::TargetPath;

/// What two reports differ in, each section once.
pub struct Difference {
    /// In the order in which they are told.
    pub parts: Vec<Part>,
}

/// What a section differs in.
pub struct Part {
    /// Which section.
    pub section: Section,
    /// Only in the later report, though the earlier sweep looked there.
    pub new: Vec<Noted>,
    /// Only in the earlier report, though the later sweep looked there.
    pub gone: Vec<Noted>,
    /// In both, and not the same.
    pub changed: Vec<Changed>,
    /// In both.
    pub unchanged: Vec<Row>,
    /// Only in the earlier report, where the later sweep did not look.
    pub not_looked_at: Vec<Noted>,
    /// Only in the later report, where the earlier sweep did not look.
    pub not_looked_at_before: Vec<Noted>,
}

/// A row, and a word about it.
#[derive(Serialize)]
pub struct Noted {
    /// The row.
    #[serde(flatten)]
    pub row: Row,
    /// What else is to be known of it, such as why it was not looked at.
    pub because: Option<String>,
}

/// A row that was changed.
pub struct Changed {
    /// As it was.
    pub before: Row,
    /// As it is.
    pub after: Row,
    /// What, before, after.
    pub changes: Vec<(&'static str, String, String)>,
}

impl Difference {
    /// Whether nothing differs, and both sweeps could have seen whatever the other one saw.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let rows = |part: &Part| {
            part.new.len()
                + part.gone.len()
                + part.changed.len()
                + part.not_looked_at.len()
                + part.not_looked_at_before.len()
        };
        self.parts.iter().all(|part| rows(part) == 0)
    }
}

/// Holds two reports against each other.
#[must_use]
pub fn compare(before: &Told, after: &Told) -> Difference {
    let (was, is) = (Sight::of(before), Sight::of(after));
    let mut parts: Vec<Part> = Section::ALL.iter().map(|section| part(*section, before, after, &was, &is)).collect();
    let still = Still::of(before, after, &parts);
    for part in &mut parts {
        let section = part.section;
        for one in &mut part.gone {
            one.because = still.told(section, &one.row);
        }
    }
    Difference { parts }
}

/// What makes a comparison of these two doubtful, each a sentence.
#[must_use]
pub fn warnings(before: &Told, after: &Told) -> Vec<String> {
    let mut all = Vec::new();
    let (was, is) = (&before.host, &after.host);
    let is_other = match (&was.machine_id, &is.machine_id) {
        (Some(one), Some(other)) => one != other,
        _ => was.name != is.name,
    };
    if is_other {
        all.push(format!(
            "these are reports of two hosts, {} and {}: what differs says nothing of a change",
            was.name, is.name
        ));
    }
    if was.os != is.os {
        all.push("the two sweeps took the host for different systems: paths and names may not fit".to_owned());
    }
    if (before.sweep.live, &before.sweep.root) != (after.sweep.live, &after.sweep.root) {
        let (one, other) = (&before.sweep.root, &after.sweep.root);
        all.push(format!("the two sweeps had different roots, {one} and {other}: make sure that they are of one disk"));
    }
    if after.sweep.started < before.sweep.started {
        let (one, other) = (before.sweep.started, after.sweep.started);
        all.push(format!("BEFORE is of {one}, AFTER is of {other}, which is earlier: are they the wrong way round?"));
    }
    all
}

/// Rows with an id that occurs more than once are matched in their order.
fn keyed(rows: Vec<Row>) -> Vec<((String, usize), Row)> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let key = |row: Row| {
        let count = seen.entry(row.id.clone()).or_default();
        *count += 1;
        ((row.id.clone(), *count), row)
    };
    rows.into_iter().map(key).collect()
}

fn part(section: Section, before: &Told, after: &Told, was: &Sight<'_>, is: &Sight<'_>) -> Part {
    let mut later = keyed(row::rows(after, section));
    let at: HashMap<(String, usize), usize> =
        later.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect();
    let mut taken: Vec<Option<Row>> = later.drain(..).map(|(_, row)| Some(row)).collect();
    let (mut same, mut lost) = (Vec::new(), Vec::new());
    for (key, row) in keyed(row::rows(before, section)) {
        match at.get(&key).and_then(|at| taken.get_mut(*at)).and_then(Option::take) {
            Some(now) => same.push((row, now)),
            None => lost.push(row),
        }
    }
    let fresh: Vec<Row> = taken.into_iter().flatten().collect();
    let (pairs, lost, fresh) = pair(lost, fresh);
    let mut out = Part {
        section,
        new: Vec::new(),
        gone: Vec::new(),
        changed: Vec::new(),
        unchanged: Vec::new(),
        not_looked_at: Vec::new(),
        not_looked_at_before: Vec::new(),
    };
    let stirred: HashSet<TargetPath> =
        pairs.iter().map(|(row, _)| row).chain(&lost).chain(&fresh).map(|row| row.path.clone()).collect();
    for (before, after) in pairs {
        let changes = row::differences(&before, &after);
        out.changed.push(Changed { before, after, changes });
    }
    settle(same, stirred, &mut out);
    for row in lost {
        match is.unseen(section, &row, was) {
            Some(why) => out.not_looked_at.push(Noted { row, because: Some(why) }),
            None => out.gone.push(Noted { row, because: None }),
        }
    }
    for row in fresh {
        match was.unseen(section, &row, is) {
            Some(why) => out.not_looked_at_before.push(Noted { row, because: Some(why) }),
            None => out.new.push(Noted { row, because: None }),
        }
    }
    out
}

/// Rows that are in both: changed where one of their facts is, or where the file is and none of its rows tells. Of such a
/// file the first row stands for all; where rows came or went, `stirred`, these tell of the change.
fn settle(same: Vec<(Row, Row)>, mut stirred: HashSet<TargetPath>, out: &mut Part) {
    let mut rest = Vec::new();
    for (before, after) in same {
        let changes = row::differences(&before, &after);
        if changes.is_empty() {
            rest.push((before, after));
        } else {
            stirred.insert(after.path.clone());
            out.changed.push(Changed { before, after, changes });
        }
    }
    for (before, after) in rest {
        let file = before.file.clone().zip(after.file.clone()).filter(|(was, is)| was != is);
        match file {
            Some((was, is)) if stirred.insert(after.path.clone()) => {
                out.changed.push(Changed { before, after, changes: vec![("file", was, is)] });
            }
            _ => out.unchanged.push(after),
        }
    }
}

/// Pairs, and what is left of both sides.
type Paired = (Vec<(Row, Row)>, Vec<Row>, Vec<Row>);

/// Rows that were edited have another id: what is gone and what is new at the same place are one, in their order. What is
/// surely the same is paired before what may be.
fn pair(mut lost: Vec<Row>, mut fresh: Vec<Row>) -> Paired {
    let rows = lost.iter().chain(&fresh);
    let most = rows.map(|row| row.like.len()).max().unwrap_or_default();
    let mut pairs = Vec::new();
    for at in 0..most {
        let more;
        (more, lost, fresh) = pair_by(lost, fresh, at);
        pairs.extend(more);
    }
    (pairs, lost, fresh)
}

/// By one of the things that rows share.
fn pair_by(lost: Vec<Row>, fresh: Vec<Row>, like: usize) -> Paired {
    let mut waiting: HashMap<String, VecDeque<usize>> = HashMap::new();
    for (at, row) in fresh.iter().enumerate() {
        if let Some(shared) = row.like.get(like) {
            waiting.entry(shared.clone()).or_default().push_back(at);
        }
    }
    let mut fresh: Vec<Option<Row>> = fresh.into_iter().map(Some).collect();
    let (mut pairs, mut left) = (Vec::new(), Vec::new());
    for row in lost {
        let same = row.like.get(like).and_then(|shared| waiting.get_mut(shared));
        match same.and_then(VecDeque::pop_front).and_then(|at| fresh.get_mut(at)).and_then(Option::take) {
            Some(now) => pairs.push((row, now)),
            None => left.push(row),
        }
    }
    (pairs, left, fresh.into_iter().flatten().collect())
}

/// What the later report still shows of what is gone.
struct Still<'r> {
    /// Paths at which something else starts or lies, and in which state.
    shown: HashMap<&'r TargetPath, &'r str>,
    /// Paths whose rows were changed.
    changed: HashSet<TargetPath>,
    /// Packs that were changed in between.
    packs: HashSet<&'r str>,
}

/// What a finding that is gone from a repository leaves open.
const OF_GIT: &str = "no branch or tag leads to it any more; the objects may still hold it";

/// The same of a package of the system.
const OF_SYSTEM: &str =
    "reports hold no list of the system's packages: whether it was removed or replaced is not known from them";

impl<'r> Still<'r> {
    fn of(before: &'r Told, after: &'r Told, parts: &[Part]) -> Self {
        let distributions = after.distributions.iter().map(|one| (&one.path, one.state.as_str()));
        let hooks = after.startup_hooks.iter().map(|one| (&one.path, "start-up file"));
        let starts = after.autostarts.iter().map(|one| (&one.path, "started by itself"));
        let now: HashMap<&str, &str> = after.packs.iter().map(|one| (one.id.as_str(), one.sha256.as_str())).collect();
        let is_changed = |id: &str, sha256: &str| now.get(id).is_some_and(|is| *is != sha256);
        let packs = before.packs.iter().filter(|one| is_changed(&one.id, &one.sha256));
        // A finding that reads otherwise says nothing of its file.
        let of_files = parts.iter().filter(|part| part.section != Section::Findings);
        let changed = of_files.flat_map(|part| &part.changed).map(|one| one.after.path.clone());
        Self {
            shown: distributions.chain(hooks).chain(starts).collect(),
            changed: changed.collect(),
            packs: packs.map(|one| one.id.as_str()).collect(),
        }
    }

    fn told(&self, section: Section, row: &Row) -> Option<String> {
        let state = self.shown.get(&row.path);
        let pack = row.incident.as_deref().filter(|pack| self.packs.contains(pack));
        match (section, state, pack) {
            (Section::Distributions, Some(state), _) => Some(format!("something of it is still there ({state})")),
            (Section::Findings, Some(_), Some(pack)) => {
                Some(format!("its file is still there, and the pack {pack} was changed"))
            }
            (Section::Findings, Some(_), None) if self.changed.contains(&row.path) => {
                Some("its file is still there, and was changed".to_owned())
            }
            (Section::Findings, Some(_), None) => Some("its file is still there".to_owned()),
            (Section::Findings, None, Some(pack)) => {
                Some(format!("the pack {pack} was changed: it may only no longer ask for it"))
            }
            (Section::Findings, None, None) if row.is_of_git => Some(OF_GIT.to_owned()),
            (Section::Findings, None, None) if row.kind == "system-package" => Some(OF_SYSTEM.to_owned()),
            _ => None,
        }
    }
}

impl Serialize for Changed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Change<'c> {
            what: &'c str,
            before: &'c str,
            after: &'c str,
        }
        #[derive(Serialize)]
        struct Shown<'c> {
            #[serde(flatten)]
            row: &'c Row,
            before_id: &'c str,
            changes: Vec<Change<'c>>,
        }
        let changes = self.changes.iter().map(|(what, before, after)| Change { what, before, after });
        Shown { row: &self.after, before_id: &self.before.id, changes: changes.collect() }.serialize(to)
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut part = to.serialize_map(None)?;
        part.serialize_entry("new", &self.new)?;
        part.serialize_entry("gone", &self.gone)?;
        part.serialize_entry("changed", &self.changed)?;
        part.serialize_entry("unchanged", &self.unchanged)?;
        part.serialize_entry("not_looked_at", &self.not_looked_at)?;
        part.serialize_entry("not_looked_at_before", &self.not_looked_at_before)?;
        part.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::model::verdict::Completeness;

    /// A report of a host with one unit, one finding and one account.
    fn report() -> Value {
        json!({
            "schema": "pysweep.report/1",
            "host": {"name": "build7", "os": "linux", "machine_id": "m1"},
            "sweep": {"id": "sweep-1", "started": "2026-11-01T00:00:00Z", "root": "/", "live": true, "user": "root", "options": {}},
            "packs": [{"id": "p", "sha256": "aa", "modified": "2026-10-01T00:00:00Z"}],
            "verdict": {"level": "compromised", "coverage": "complete", "scope": "host", "sentence": "s"},
            "accounts": [
                {"name": "mia", "uid": 1000, "groups": ["mia"], "home": "/home/mia", "shell": "/bin/sh", "privileged": false},
                {"name": "ben", "uid": 1001, "groups": ["ben"], "home": "/home/ben", "shell": "/bin/sh", "privileged": false}
            ],
            "autostarts": [start("1", "/home/mia/.config/systemd/user/a.service", "/opt/a")],
            "findings": [{
                "id": "find-1", "rule": "file-known-bad", "incident": "p", "level": "compromised", "title": "t",
                "stage": "dropped", "subject": {"kind": "file", "path": "/opt/a"}, "accepted": null
            }],
            "coverage": {
                "checks": [{"id": "walk", "state": "complete"}, {"id": "autostart-systemd", "state": "complete"}],
                "gaps": [], "skipped": []
            }
        })
    }

    fn start(id: &str, path: &str, runs: &str) -> Value {
        json!({
            "id": format!("start-{id}"), "path": path, "kind": "systemd-service", "name": "a.service", "runs": runs,
            "enabled": true, "modified": "2026-10-01T00:00:00Z", "size": 10, "programs": []
        })
    }

    fn told(report: &Value) -> Told {
        Told::parse("r.json", report.to_string().as_bytes()).unwrap()
    }

    /// `section word id why` of everything that differs.
    fn differs(before: &Value, after: &Value) -> Vec<String> {
        let mut out = Vec::new();
        for part in compare(&told(before), &told(after)).parts {
            let lists = [
                ("new", part.new),
                ("gone", part.gone),
                ("unseen", part.not_looked_at),
                ("unseen before", part.not_looked_at_before),
            ];
            for (word, rows) in lists {
                let line = |one: Noted| format!("{word} {} {}", one.row.id, one.because.unwrap_or_default());
                out.extend(rows.into_iter().map(line).map(|line| line.trim_end().to_owned()));
            }
            for one in part.changed {
                let what: Vec<&str> = one.changes.iter().map(|(what, _, _)| *what).collect();
                out.push(format!("changed {} {}", one.after.id, what.join(", ")));
            }
        }
        out
    }

    /// Without the unit and the finding.
    fn cleaned() -> Value {
        let mut after = report();
        after["autostarts"] = json!([]);
        after["findings"] = json!([]);
        after["verdict"]["level"] = json!("none");
        after
    }

    #[test]
    fn the_same_twice_is_no_difference() {
        assert!(compare(&told(&report()), &told(&report())).is_empty());
        assert_eq!(differs(&report(), &cleaned()), ["gone find-1", "gone start-1"]);
        assert_eq!(differs(&cleaned(), &report()), ["new find-1", "new start-1"]);
    }

    #[test]
    fn an_edited_command_and_an_edited_file_are_changes() {
        let path = "/home/mia/.config/systemd/user/a.service";
        let mut after = report();
        after["autostarts"] = json!([start("2", path, "/opt/b")]);
        assert_eq!(differs(&report(), &after), ["changed start-2 runs"]);
        after["autostarts"] = json!([start("2", "/etc/systemd/system/a.service", "/opt/a")]);
        assert_eq!(differs(&report(), &after), ["new start-2", "gone start-1"]);
        after = report();
        after["autostarts"][0]["modified"] = json!("2026-11-01T00:00:00Z");
        assert_eq!(differs(&report(), &after), ["changed start-1 file"]);
        after["autostarts"][0]["enabled"] = json!(false);
        assert_eq!(differs(&report(), &after), ["changed start-1 enabled"]);
    }

    /// Lines of one crontab: id, line, when, program.
    fn crontab(lines: &[(&str, &str, &str)]) -> Value {
        let mut one = report();
        let row = |(at, (id, when, program)): (usize, &(&str, &str, &str))| {
            let mut row = start(id, "/etc/cron.d/x", program);
            row["kind"] = json!("cron");
            row["line"] = json!(at + 1);
            row["trigger"] = json!(when);
            row["programs"] = json!([{"path": program, "present": true}]);
            row
        };
        one["autostarts"] = lines.iter().enumerate().map(row).collect();
        one
    }

    #[test]
    fn lines_of_a_crontab_that_share_nothing_are_not_one() {
        let before = crontab(&[("1", "0 3 * * *", "/usr/bin/backup")]);
        let other = crontab(&[("2", "*/5 * * * *", "/tmp/x")]);
        assert_eq!(differs(&before, &other), ["new start-2", "gone start-1"]);
        let later = crontab(&[("3", "0 4 * * *", "/usr/bin/backup")]);
        assert_eq!(differs(&before, &later), ["changed start-3 when"]);
        let replaced = crontab(&[("4", "0 3 * * *", "/tmp/x")]);
        assert_eq!(differs(&before, &replaced), ["changed start-4 runs"]);
        // The same program says more than the same hour, in whichever order the lines stand.
        let two = crontab(&[("5", "0 3 * * *", "/tmp/x"), ("6", "0 4 * * *", "/usr/bin/backup")]);
        assert_eq!(differs(&before, &two), ["new start-5", "changed start-6 when"]);
        // Without a program and an hour there is nothing to go by.
        let mut bare = before.clone();
        bare["autostarts"][0]["trigger"] = Value::Null;
        bare["autostarts"][0]["programs"] = json!([]);
        let mut bare_too = bare.clone();
        bare_too["autostarts"][0]["id"] = json!("start-7");
        assert_eq!(differs(&bare, &bare_too), ["new start-7", "gone start-1"]);
    }

    #[test]
    fn a_finding_that_reads_otherwise_is_changed() {
        let mut after = report();
        after["findings"][0]["title"] = json!("t (not armed)");
        assert_eq!(differs(&report(), &after), ["changed find-1 title"]);
        after["findings"][0]["level"] = json!("suspicious");
        assert_eq!(differs(&report(), &after), ["changed find-1 title, level"]);
        let changes = compare(&told(&report()), &told(&after)).parts.remove(0).changed.remove(0).changes;
        assert_eq!(changes[0], ("title", "t".to_owned(), "t (not armed)".to_owned()));
        // That says nothing of the file of another one.
        let mut before = report();
        let mut other = before["findings"][0].clone();
        other["id"] = json!("find-2");
        before["findings"].as_array_mut().unwrap().push(other);
        let path = json!("/home/mia/.config/systemd/user/a.service");
        for one in before["findings"].as_array_mut().unwrap() {
            one["subject"]["path"] = path.clone();
        }
        after["findings"][0]["subject"]["path"] = path;
        assert_eq!(differs(&before, &after)[0], "gone find-2 its file is still there");
    }

    #[test]
    fn rows_of_every_list_are_objects_of_one_shape() {
        let mut after = crontab(&[("2", "0 3 * * *", "/opt/b")]);
        let shown = serde_json::to_value(&compare(&told(&report()), &told(&after)).parts[1]).unwrap();
        let (new, gone) = (&shown["new"][0], &shown["gone"][0]);
        assert_eq!((&new["kind"], &new["name"], &new["line"]), (&json!("cron"), &json!("a.service"), &json!(1)));
        assert_eq!((&gone["name"], &gone["line"]), (&json!("a.service"), &Value::Null));
        after["findings"][0]["evidence"] = json!([{"path": "/opt/b", "line": 3}, {"path": "/opt/a", "line": 7}]);
        after["findings"][0]["subject"]["name"] = json!("a");
        let shown = serde_json::to_value(&compare(&told(&after), &told(&after)).parts[0]).unwrap();
        let same = &shown["unchanged"][0];
        assert_eq!(same["id"], "find-1");
        assert_eq!((&same["kind"], &same["name"], &same["line"]), (&json!("file"), &json!("a"), &json!(7)));
    }

    #[test]
    fn a_member_of_a_group_that_can_become_root_is_a_change() {
        let mut after = report();
        after["accounts"][0]["groups"] = json!(["sudo", "mia"]);
        after["accounts"][0]["privileged"] = json!(true);
        after["accounts"][1]["name"] = json!("eve");
        assert_eq!(differs(&report(), &after), ["new eve", "gone ben", "changed mia groups, can become root"]);
    }

    #[test]
    fn what_was_not_looked_at_is_not_gone() {
        let gap = |path: &str, reason: &str| json!({"path": path, "check": "walk", "reason": reason, "material": true});
        let with = |set: &dyn Fn(&mut Value)| {
            let mut after = cleaned();
            set(&mut after);
            differs(&report(), &after)
        };
        let shut = with(&|after| after["coverage"]["gaps"] = json!([gap("/home/mia", "permission-denied")]));
        assert_eq!(shut, ["gone find-1", "unseen start-1 /home/mia could not be entered (permission-denied)"]);
        // What vanished was gone, and what is missing in a folder says nothing of the rest of it.
        let there =
            with(&|after| after["coverage"]["gaps"] = json!([gap("/opt/a", "vanished"), gap("/home/mia", "missing")]));
        assert_eq!(there, ["gone find-1", "gone start-1"]);
        let broken = with(&|after| after["coverage"]["gaps"] = json!([gap("/opt/a", "malformed")]));
        assert_eq!(broken, ["unseen find-1 it could not be looked at (malformed)", "gone start-1"]);
        let skipped = with(&|after| {
            after["coverage"]["skipped"] = json!([{"path": "/opt", "why": "w"}, {"path": "/", "why": "a note"}])
        });
        assert_eq!(skipped, ["unseen find-1 /opt was left out (w)", "gone start-1"]);
        let excluded = with(&|after| after["sweep"]["options"] = json!({"exclude": "**/.config /srv/a b"}));
        assert_eq!(excluded, ["gone find-1", "unseen start-1 /home/mia/.config was left out (--exclude)"]);
        let broken = with(&|after| after["sweep"]["options"] = json!({"exclude": "/[a"}));
        assert!(broken.iter().all(|line| line.starts_with("unseen ")), "{broken:?}");
        let off = with(&|after| after["coverage"]["checks"][1]["state"] = json!("off"));
        assert_eq!(off, ["gone find-1", "unseen start-1 the check autostart-systemd was not made"]);
        let packs = with(&|after| after["packs"] = json!([]));
        assert_eq!(packs, ["unseen find-1 not asked for: the pack p was not in use", "gone start-1"]);
        let account = with(&|after| {
            after["verdict"]["scope"] = json!("account");
            after["sweep"]["user"] = json!("ben");
        });
        assert_eq!(account, ["gone find-1", "unseen start-1 it was swept for account ben alone"]);
    }

    #[test]
    fn a_check_hides_what_it_alone_makes() {
        let checks = |states: [&str; 3]| {
            let all = ["autostart-cron", "autostart-scripts", "autostart-systemd"].iter().zip(states);
            all.map(|(id, state)| json!({"id": id, "state": state})).collect::<Value>()
        };
        let mut before = report();
        before["coverage"]["checks"] = checks(["complete"; 3]);
        let mut one = |kind: &str, states: [&str; 3]| {
            before["autostarts"][0]["kind"] = json!(kind);
            let mut after = cleaned();
            after["coverage"]["checks"] = checks(states);
            differs(&before, &after).remove(1)
        };
        let unseen = |check: &str| format!("unseen start-1 the check {check} was not made");
        // Scripts of cron and generators of systemd are read by another check than crontabs and units.
        assert_eq!(one("cron-script", ["off", "complete", "off"]), "gone start-1");
        assert_eq!(one("cron-script", ["complete", "off", "complete"]), unseen("autostart-scripts"));
        assert_eq!(one("systemd-generator", ["complete", "off", "complete"]), unseen("autostart-scripts"));
        assert_eq!(one("systemd-timer", ["off", "off", "complete"]), "gone start-1");
        assert_eq!(one("cron", ["off", "complete", "complete"]), unseen("autostart-cron"));
        // A kind of a later version may come from any of them.
        assert_eq!(one("of-tomorrow", ["complete", "complete", "off"]), unseen("autostart-systemd"));
        assert_eq!(one("of-tomorrow", ["complete"; 3]), "gone start-1");
    }

    #[test]
    fn a_gap_hides_what_its_report_says_it_hides() {
        let with = |gap: Value| {
            let mut after = cleaned();
            after["coverage"]["gaps"] = json!([gap]);
            differs(&report(), &after).remove(0)
        };
        let below = |reason: &str| json!({"path": "/opt/a/b", "reason": reason});
        assert!(with(below("malformed")).starts_with("unseen find-1 /opt/a/b could not"));
        assert_eq!(with(below("dangling-link")), "gone find-1");
        let mut said = below("malformed");
        said["material"] = json!(false);
        assert_eq!(with(said), "gone find-1");
        // A reason of a later version may be any.
        assert!(with(below("of-tomorrow")).starts_with("unseen find-1"));
        assert!(with(json!({"path": "/opt", "reason": "of-tomorrow"})).starts_with("unseen find-1 /opt could not"));
        let mut after = cleaned();
        after["coverage"]["gaps"] = json!([below("malformed")]);
        assert_eq!(told(&after).coverage(), Completeness::Incomplete);
    }

    #[test]
    fn what_is_gone_from_git_and_from_lists_of_packages_is_not_claimed() {
        let gone = |set: &dyn Fn(&mut Value)| {
            let mut before = report();
            set(&mut before["findings"][0]);
            let mut after = cleaned();
            let quiet = differs(&before, &after).remove(0);
            after["packs"][0]["sha256"] = json!("bb");
            // Then it is the pack of which it is not known.
            assert!(differs(&before, &after)[0].contains("the pack p was changed"), "{quiet}");
            quiet
        };
        let of_git = format!("gone find-1 {OF_GIT}");
        assert_eq!(gone(&|one| one["subject"]["path"] = json!("/home/mia/src/x/.git")), of_git);
        assert_eq!(gone(&|one| one["subject"]["path"] = json!("/srv/git/x.git")), of_git);
        assert_eq!(gone(&|one| one["rule"] = json!("git-workflow")), of_git);
        assert_eq!(gone(&|one| one["evidence"] = json!([{"path": "/home/mia/src/x/.git"}])), of_git);
        assert_eq!(gone(&|one| one["subject"]["path"] = json!("/home/mia/x/.github")), "gone find-1");
        let of_system = gone(&|one| one["subject"]["kind"] = json!("system-package"));
        assert_eq!(of_system, format!("gone find-1 {OF_SYSTEM}"));
    }

    #[test]
    fn named_paths_are_the_only_ones_that_were_looked_at() {
        let with = |paths: &str| {
            let mut after = cleaned();
            after["verdict"]["scope"] = json!("paths");
            after["sweep"]["options"] = json!({"paths": paths});
            differs(&report(), &after).iter().filter(|line| line.starts_with("gone")).count()
        };
        assert_eq!([with("/opt/"), with("/home /opt"), with("/"), with("/op")], [1, 2, 2, 0]);
        // Relative ones, detours, and those with blanks cannot be told from what the report holds.
        assert_eq!([with("."), with("/home/../opt"), with("/opt my"), with("")], [0, 0, 0, 0]);
    }

    #[test]
    fn a_finding_that_is_gone_says_what_is_left_of_it() {
        let mut before = report();
        before["findings"][0]["subject"]["path"] = json!("/home/mia/.config/systemd/user/a.service");
        let mut after = before.clone();
        after["findings"] = json!([]);
        assert_eq!(differs(&before, &after), ["gone find-1 its file is still there"]);
        after["packs"][0]["sha256"] = json!("bb");
        assert_eq!(differs(&before, &after), ["gone find-1 its file is still there, and the pack p was changed"]);
        after["packs"] = before["packs"].clone();
        after["autostarts"][0]["size"] = json!(11);
        let told = differs(&before, &after);
        assert_eq!(told, ["gone find-1 its file is still there, and was changed", "changed start-1 file"]);
    }

    #[test]
    fn a_report_that_contradicts_itself_is_taken_at_its_worst() {
        let mut one = cleaned();
        one["findings"] = report()["findings"].clone();
        one["coverage"]["gaps"] = json!([{"path": "/x", "reason": "malformed", "material": true}]);
        let one = told(&one);
        assert_eq!(
            (one.level(), one.coverage()),
            (crate::model::verdict::Level::Compromised, Completeness::Incomplete)
        );
    }

    #[test]
    fn two_hosts_and_two_roots_are_named() {
        let mut other = report();
        assert!(warnings(&told(&report()), &told(&other)).is_empty());
        other["host"]["machine_id"] = json!("m2");
        other["host"]["os"] = json!("macos");
        other["sweep"]["root"] = json!("/mnt");
        other["sweep"]["started"] = json!("2026-10-01T00:00:00Z");
        assert_eq!(warnings(&told(&report()), &told(&other)).len(), 4);
        other = report();
        // Renamed, and the same machine.
        other["host"]["name"] = json!("x");
        assert!(warnings(&told(&report()), &told(&other)).is_empty());
    }

    proptest! {
        #[test]
        fn every_row_is_told_once(was in prop::collection::vec((0_u8..4, 0_u8..3), 0..12), is in prop::collection::vec((0_u8..4, 0_u8..3), 0..12)) {
            let with = |rows: &[(u8, u8)]| {
                let mut one = report();
                one["autostarts"] = rows.iter().map(|(id, path)| start(&id.to_string(), &format!("/{path}"), "x")).collect();
                one
            };
            let found = compare(&told(&with(&was)), &told(&with(&is)));
            let part = &found.parts[1];
            let both = part.changed.len() + part.unchanged.len();
            prop_assert_eq!(both + part.gone.len() + part.not_looked_at.len(), was.len());
            prop_assert_eq!(both + part.new.len() + part.not_looked_at_before.len(), is.len());
        }

        #[test]
        fn no_bytes_crash_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Told::parse("x", &bytes);
        }
    }
}
