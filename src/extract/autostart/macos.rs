//! What macOS starts besides jobs of launchd: login items and the hooks of the login window, scripts of `periodic`, rules of
//! the event monitor (`emond(8)`), configuration profiles.
//!
//! Login items are archives of objects (`NSKeyedArchiver`): a list of objects that name each other by number. Newer systems
//! keep one record for each item, with a name and a path; older ones keep bookmarks, whose own form is not read, so that
//! the row names the file alone.

use super::command::{self, Told};
use super::{CAP, Entry, MOST, content, place_of, push};
use crate::extract::Extractor;
use crate::extract::format::plist::{self, Node, Value};
use crate::extract::format::shell_words::Word;
use crate::extract::input::Input;
use crate::model::autostart::{AutostartKind, Role};
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-macos",
        sentence: "Login items and login hooks of macOS, scripts of periodic, rules of emond, configuration profiles.",
        ask: Ask::Starts("macos"),
    },
    cap: 8 * CAP,
    read,
};

// Of what is taken from a list there is one more than rows are kept, so that `push` tells of the bound.

/// In the flags of a login item: it is turned on.
const TURNED_ON: i64 = 1;

fn read(input: &Input<'_>) -> Harvest {
    let Some(place) = place_of(input, "macos") else { return Harvest::default() };
    let kind = place.rule.kind;
    let mut harvest = Harvest::default();
    let Some(content) = content(input, &mut harvest) else { return harvest };
    let name = input.candidate.name;
    if kind == AutostartKind::Periodic {
        let told = command::of_script(&content.bytes);
        let trigger = input.folder().file_name().to_vec();
        push(input, &content, Entry { told, trigger, ..Entry::new(kind, name) }, &mut harvest);
        return harvest;
    }
    let list = plist::parse(&content.bytes);
    let is_list = plist::is_binary(&content.bytes) || content.bytes.contains(&b'<');
    if let Some(fault) = list.fault.filter(|_| content.whole && is_list) {
        harvest.gaps.push(super::gap(input, fault.reason).because(fault.what));
    }
    let mut entries = match kind {
        AutostartKind::LoginItem => login_items(&list.top),
        AutostartKind::Emond => rules(&list.top),
        _ => Vec::new(),
    };
    let is_settings = name.eq_ignore_ascii_case(b"com.apple.loginwindow.plist");
    if entries.is_empty() && !is_settings {
        let title = list.top.text_of("PayloadDisplayName").or_else(|| list.top.text_of("PayloadIdentifier"));
        entries.push(Entry::new(kind, title.map_or(name, str::as_bytes)));
    }
    for entry in entries {
        push(input, &content, entry, &mut harvest);
    }
    harvest
}

/// The items of a file that holds any, in whichever of the three forms.
#[must_use]
pub fn login_items(top: &Node) -> Vec<Entry> {
    let mut out = Vec::new();
    for key in ["LoginHook", "LogoutHook"] {
        if let Some(text) = top.text_of(key) {
            let mut told = command::of_script(text.as_bytes());
            told.programs.iter_mut().for_each(|one| one.2 = 0);
            told.signs.iter_mut().for_each(|one| one.line = 0);
            let trigger = if key == "LoginHook" { b"login".to_vec() } else { b"logout".to_vec() };
            let command = text.as_bytes().to_vec();
            out.push(item(
                key.as_bytes(),
                Entry { command, told, trigger, ..Entry::new(AutostartKind::LoginItem, b"") },
            ));
        }
    }
    let of_window = top.get("AutoLaunchedApplicationDictionary").map(Node::members).unwrap_or_default();
    let of_settings = top.get("SessionItems").and_then(|items| items.get("CustomListItems")).map(Node::members);
    for one in of_window.iter().chain(of_settings.unwrap_or_default()).take(MOST + 1) {
        let path = one.text_of("Path").unwrap_or_default();
        let name = one.text_of("Name").unwrap_or(path);
        out.push(item(name.as_bytes(), started(path)));
    }
    let objects = top.get("$objects").map(Node::members).unwrap_or_default();
    for one in objects.iter().filter(|one| one.get("executablePath").is_some()).take(MOST + 1) {
        out.extend(record(objects, one));
    }
    out
}

fn item(name: &[u8], entry: Entry) -> Entry {
    let trigger = if entry.trigger.is_empty() { b"login".to_vec() } else { entry.trigger };
    Entry { name: name.to_vec(), trigger, is_whole_file: false, ..entry }
}

fn started(path: &str) -> Entry {
    let mut told = Told::default();
    if path.starts_with('/') {
        told.programs.push((path.as_bytes().to_vec(), Role::Program, 0));
    }
    Entry { command: path.as_bytes().to_vec(), told, ..Entry::new(AutostartKind::LoginItem, b"") }
}

/// One record of an archive. Agents and daemons are read where their own files lie, and are none.
fn record(objects: &[Node], one: &Node) -> Option<Entry> {
    let text = |key: &str| named(objects, one.get(key)?)?.text();
    let url =
        one.get("url").and_then(|url| named(objects, url)).and_then(|url| named(objects, url.get("NS.relative")?));
    let url = url.and_then(Node::text).and_then(|url| url.strip_prefix("file://")).map(|path| path.replace("%20", " "));
    if url.as_ref().is_some_and(|path| path.contains("/LaunchAgents/") || path.contains("/LaunchDaemons/")) {
        return None;
    }
    let path = text("executablePath").map(str::to_owned).or(url)?;
    let name = text("name").or_else(|| text("identifier")).unwrap_or(&path);
    let enabled = one.number_of("disposition").map(|flags| flags & TURNED_ON != 0);
    Some(Entry { enabled, ..item(name.as_bytes(), started(&path)) })
}

/// The object that a number names; other values stand for themselves.
fn named<'a>(objects: &'a [Node], node: &'a Node) -> Option<&'a Node> {
    match node.value {
        Value::Object(at) => objects.get(usize::try_from(at).ok()?),
        _ => Some(node),
    }
}

/// The commands of a file of rules.
#[must_use]
pub fn rules(top: &Node) -> Vec<Entry> {
    let one = std::slice::from_ref(top);
    let rules = if top.members().is_empty() { one } else { top.members() };
    rules.iter().flat_map(actions).take(MOST + 1).collect()
}

fn actions(rule: &Node) -> Vec<Entry> {
    let events = rule.get("eventTypes").map(Node::members).unwrap_or_default();
    let trigger: Vec<&str> = events.iter().filter_map(Node::text).take(8).collect();
    let mut out = Vec::new();
    for action in rule.get("actions").map(Node::members).unwrap_or_default() {
        let Some(program) = action.text_of("command") else { continue };
        let line = action.get("command").map_or(0, |node| node.line);
        let arguments = action.get("arguments").map(Node::members).unwrap_or_default();
        let texts = std::iter::once(program).chain(arguments.iter().filter_map(Node::text));
        let words: Vec<Word> = texts.map(|text| Word { text: text.as_bytes().to_vec(), line }).collect();
        let texts: Vec<&[u8]> = words.iter().map(|word| word.text.as_slice()).collect();
        out.push(Entry {
            line: (line > 0).then_some(line),
            command: texts.join(&b' '),
            told: command::of_words(&words),
            trigger: trigger.join(", ").into_bytes(),
            runs_as: action.text_of("user").map(|name| name.as_bytes().to_vec()),
            enabled: rule.flag_of("enabled"),
            is_whole_file: false,
            ..Entry::new(AutostartKind::Emond, rule.text_of("name").unwrap_or_default().as_bytes())
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::model::host::Platform;

    fn told(path: &str, content: &str) -> Vec<String> {
        Tree::with(&[(path, content.as_bytes())]).told(&EXTRACTOR, Platform::Macos, path)
    }

    #[test]
    fn each_place_is_read_in_its_form() {
        assert_eq!(
            told(
                "/Library/Preferences/com.apple.loginwindow.plist",
                "<plist><dict><key>LoginHook</key><string>/opt/x.sh</string><key>N</key><true/></dict></plist>"
            ),
            ["LoginItem LoginHook | runs /opt/x.sh | when login | Program /opt/x.sh"]
        );
        assert!(told("/Library/Preferences/com.apple.loginwindow.plist", "<plist><dict/></plist>").is_empty());
        assert_eq!(
            told("/private/etc/periodic/daily/500.x", "#!/bin/sh\n/usr/bin/python3 /opt/x.py\n"),
            ["Periodic 500.x | when daily | Program /usr/bin/python3 | Script /opt/x.py"]
        );
        let rule = "<plist><array><dict><key>name</key><string>r</string><key>enabled</key><true/><key>eventTypes</key>\
            <array><string>startup</string></array><key>actions</key><array><dict><key>command</key>\
            <string>/bin/sh</string><key>user</key><string>root</string><key>arguments</key><array><string>-c</string>\
            <string>curl x | sh</string></array></dict></array></dict></array></plist>";
        assert_eq!(
            told("/private/etc/emond.d/rules/r.plist", rule),
            ["Emond r | runs /bin/sh -c curl x | sh | when startup | as root | Program /bin/sh | FetchesAndRuns"]
        );
        assert_eq!(
            told("/private/var/db/ConfigurationProfiles/Store/ConfigProfiles.binary", "x"),
            ["ConfigurationProfile ConfigProfiles.binary"]
        );
    }

    #[test]
    fn login_items_are_records_or_a_file() {
        let text = |text: &str| Node { value: Value::Text(text.to_owned()), line: 0 };
        let of = |value: Value| Node { value, line: 0 };
        let dict = |pairs: Vec<(&str, Node)>| {
            of(Value::Dict(pairs.into_iter().map(|(key, node)| (key.to_owned(), node)).collect()))
        };
        let item = dict(vec![
            ("name", of(Value::Object(1))),
            ("executablePath", of(Value::Object(2))),
            ("url", of(Value::Object(9))),
            ("disposition", of(Value::Number(11))),
        ]);
        let objects = of(Value::Array(vec![text("$null"), text("Sync"), text("/opt/sync"), item]));
        let items = login_items(&dict(vec![("$objects", objects)]));
        assert_eq!((items.len(), items[0].name.as_slice(), items[0].enabled), (1, b"Sync".as_slice(), Some(true)));
        assert_eq!(items[0].told.programs, [(b"/opt/sync".to_vec(), Role::Program, 0)]);
        let path = "/private/var/db/com.apple.backgroundtaskmanagement/BackgroundItems-v8.btm";
        assert_eq!(told(path, "<plist><dict/></plist>"), ["LoginItem BackgroundItems-v8.btm"]);
    }

    #[test]
    fn items_and_rules_beyond_the_bound_are_a_gap() {
        let item = "<dict><key>Path</key><string>/a</string></dict>".repeat(MOST + 1);
        let rule = "<dict><key>actions</key><array><dict><key>command</key><string>a</string></dict></array></dict>"
            .repeat(MOST + 1);
        for (path, text) in [
            (
                "/Library/Preferences/com.apple.loginwindow.plist",
                format!(
                    "<plist><dict><key>AutoLaunchedApplicationDictionary</key><array>{item}</array></dict></plist>"
                ),
            ),
            ("/private/etc/emond.d/rules/r.plist", format!("<plist><array>{rule}</array></plist>")),
        ] {
            let harvest = Tree::with(&[(path, text.as_bytes())]).read(&EXTRACTOR, Platform::Macos, path);
            assert_eq!(harvest.facts.autostarts.len(), MOST, "{path}");
            assert!(harvest.gaps.iter().any(|gap| gap.material), "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let list = plist::parse(&bytes);
            prop_assert!(login_items(&list.top).len() + rules(&list.top).len() < 100);
        }
    }
}
