//! Services, and what the session manager runs at boot, from the machine's hive. Drivers are none: what they load is not a
//! program.

use super::{Found, text_of};
use crate::extract::autostart::command::windows;
use crate::extract::autostart::{Entry, MOST};
use crate::extract::format::hive::{Data, Hive, Key, Value};
use crate::extract::format::read_at::ReadAt;
use crate::model::autostart::{AutostartKind, Role};

/// In a service's type: it is a program of its own, or shares one.
const IS_PROGRAM: u32 = 0x30;

/// What every Windows runs at boot.
const USUAL_BOOT: &[&str] = &["autocheck autochk *", "autocheck autochk /q /v *"];

/// What the hive of the machine has started, in the control set that is in force.
#[must_use]
pub fn of_system<F: ReadAt + ?Sized>(hive: &Hive<'_, F>) -> Found {
    let mut out = Found::default();
    let select = out.ask(hive.key(&["Select"])).flatten();
    let values = select.map(|key| out.values(&key)).unwrap_or_default();
    let set = match number(&values, "Current") {
        Some(at) => format!("ControlSet{at:03}"),
        None => "ControlSet001".to_owned(),
    };
    let manager = [set.as_str(), "Control", "Session Manager"];
    if let Some(key) = out.ask(hive.key(&manager)).flatten() {
        for value in out.values(&key) {
            let is_boot =
                ["BootExecute", "SetupExecute", "Execute"].iter().any(|name| value.name.eq_ignore_ascii_case(name));
            for text in texts(&value).iter().filter(|text| is_boot && !USUAL_BOOT.contains(&text.as_str())) {
                out.add(&manager.join("\\"), &value.name, text, "boot", key.written());
            }
        }
    }
    if let Some(key) = out.ask(hive.key(&[&set, "Services"])).flatten() {
        for service in key.subkeys() {
            if let Some(service) = out.ask(service) {
                out.service(&service);
            }
        }
    }
    out
}

fn texts(value: &Value) -> Vec<String> {
    match &value.data {
        Data::Texts(texts) => texts.clone(),
        _ => vec![text_of(value)].into_iter().filter(|text| !text.is_empty()).collect(),
    }
}

fn number(values: &[Value], name: &str) -> Option<u32> {
    values.iter().filter(|value| value.name.eq_ignore_ascii_case(name)).find_map(|value| match value.data {
        Data::Number(number) => Some(number),
        _ => None,
    })
}

fn text(values: &[Value], name: &str) -> Option<String> {
    let value = values.iter().find(|value| value.name.eq_ignore_ascii_case(name))?;
    Some(text_of(value)).filter(|text| !text.is_empty())
}

impl Found {
    fn service<F: ReadAt + ?Sized>(&mut self, key: &Key<'_, F>) {
        let values = self.values(key);
        let Some(path) = text(&values, "ImagePath") else { return };
        if self.entries.len() > MOST || number(&values, "Type").is_some_and(|kind| kind & IS_PROGRAM == 0) {
            return;
        }
        let mut told = windows::of_command_line(&path);
        // A service that shares a program names its library in a key of its own, or in its own values.
        let below = self.ask(key.subkey("Parameters")).flatten();
        let of_below = below.map(|below| self.values(&below)).unwrap_or_default();
        let library = text(&of_below, "ServiceDll").or_else(|| text(&values, "ServiceDll"));
        let application = text(&of_below, "Application");
        let command = [Some(path), library.clone(), application.clone(), text(&of_below, "AppParameters")];
        told.programs.extend(library.map(|path| (path.into_bytes(), Role::Library, 0)));
        // NSSM's own: the service is a shell around it.
        if let Some(application) = application {
            let arguments = text(&of_below, "AppParameters").unwrap_or_default();
            let one = windows::of_command_line(&format!("\"{application}\" {arguments}"));
            told.programs.extend(one.programs);
            told.signs.extend(one.signs);
        }
        let start = number(&values, "Start");
        self.entries.push(Entry {
            command: command.into_iter().flatten().collect::<Vec<_>>().join("; ").into_bytes(),
            told,
            trigger: when(start).as_bytes().to_vec(),
            runs_as: text(&values, "ObjectName").map(String::into_bytes),
            enabled: start.map(|start| start < 3),
            modified: key.written(),
            is_whole_file: false,
            ..Entry::new(AutostartKind::WindowsService, key.name().as_bytes())
        });
    }
}

/// When a service starts, by its `Start`.
fn when(start: Option<u32>) -> &'static str {
    match start {
        Some(0..=2) => "boot",
        Some(3) => "on demand",
        Some(4) => "disabled",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::format::made_hive::hive;

    #[test]
    fn services_are_those_of_the_set_in_force() {
        let text = r"
Select
    Current:dword = 2
ControlSet001\Services\old
    ImagePath = C:\x\old.exe
ControlSet002\Services\x
    ImagePath:expand = %SystemRoot%\System32\svchost.exe -k netsvcs
    Type:dword = 32
    Start:dword = 2
    ObjectName = LocalSystem
ControlSet002\Services\x\Parameters
    ServiceDll:expand = C:\x\y.dll
ControlSet002\Services\drv
    ImagePath = system32\drivers\a.sys
    Type:dword = 1
ControlSet002\Control\Session Manager
    BootExecute:multi = autocheck autochk *|evil
";
        let bytes = hive(text);
        let found = of_system(&Hive::open(bytes.as_slice()).unwrap());
        assert!(found.fault.is_none());
        let told: Vec<String> = found
            .entries
            .iter()
            .map(|entry| {
                format!("{} {}", String::from_utf8_lossy(&entry.name), String::from_utf8_lossy(&entry.command))
            })
            .collect();
        assert_eq!(
            told,
            [
                r"ControlSet002\Control\Session Manager\BootExecute evil",
                r"x %SystemRoot%\System32\svchost.exe -k netsvcs; C:\x\y.dll",
            ]
        );
        let service = &found.entries[1];
        assert_eq!((service.enabled, service.trigger.as_slice()), (Some(true), b"boot".as_slice()));
        assert_eq!(service.told.programs[1], (br"C:\x\y.dll".to_vec(), Role::Library, 0));
    }
}
