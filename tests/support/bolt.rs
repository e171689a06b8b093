//! Makes bolt databases from a text, in the shape in which bbolt writes them. It uses nothing else of this project, so that
//! unit tests, fixture hosts and fuzz targets can share it by its path.
//!
//! ```text
//! v1\snapshots\default/1/sha256:aa
//!     id:varint = 1
//!     kind:hex = 03
//!     parent = default/0/sha256:bb
//!     spec:any = {"mounts": []}
//! ```
//!
//! A line that is not indented is a bucket, made with those above it; `\` stands between. Indented lines are values of the
//! bucket above them. `:any` is a protobuf Any that holds the text. `@repeat N NAME` makes N buckets named NAME0, NAME1 ….

use std::collections::BTreeMap;

/// The size of a page.
const PAGE: usize = 4096;

#[derive(Default)]
struct Bucket {
    buckets: BTreeMap<Vec<u8>, Bucket>,
    values: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// A database as bbolt writes it.
pub(crate) fn bolt(text: &str) -> Vec<u8> {
    let mut root = Bucket::default();
    let mut at: Vec<&str> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(value) = line.strip_prefix("    ") {
            let (key, value) = value.split_once(" = ").unwrap_or((value, ""));
            let (key, form) = match key.rsplit_once(':') {
                Some((key, form @ ("varint" | "hex" | "any"))) => (key, form),
                _ => (key, "text"),
            };
            find(&mut root, &at).values.insert(key.as_bytes().to_vec(), encode(form, value));
        } else {
            at = line.split('\\').collect();
            find(&mut root, &at);
        }
    }
    // Pages 0 and 1 are meta pages, 2 the free list.
    let mut pages: Vec<Vec<u8>> = vec![Vec::new(), Vec::new(), page(2, 0x10, 0, &[])];
    let top = write(&root, &mut pages);
    for (number, transaction) in [(0, 1_u64), (1, 2)] {
        pages[number] = meta(number as u64, top, pages.len() as u64, transaction);
    }
    pages.concat()
}

fn find<'b>(root: &'b mut Bucket, path: &[&str]) -> &'b mut Bucket {
    path.iter().fold(root, |at, name| at.buckets.entry(name.as_bytes().to_vec()).or_default())
}

fn encode(form: &str, value: &str) -> Vec<u8> {
    match form {
        "varint" => varint(value.parse().unwrap()),
        "hex" => (0..value.len() / 2).map(|at| u8::from_str_radix(&value[at * 2..at * 2 + 2], 16).unwrap()).collect(),
        "any" => {
            let kind = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
            let field = |tag: u8, bytes: &[u8]| [&[tag], varint(bytes.len() as u64).as_slice(), bytes].concat();
            [field(0x0a, kind.as_bytes()), field(0x12, value.as_bytes())].concat()
        }
        _ => value.as_bytes().to_vec(),
    }
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}

/// The entries of a leaf: flags, key, value.
type Entries = Vec<(u32, Vec<u8>, Vec<u8>)>;

/// Writes a bucket's tree and returns its first page.
fn write(bucket: &Bucket, pages: &mut Vec<Vec<u8>>) -> u64 {
    let mut entries: Entries = bucket.values.iter().map(|(key, value)| (0, key.clone(), value.clone())).collect();
    for (key, inner) in &bucket.buckets {
        entries.push((1, key.clone(), held(inner, pages)));
    }
    entries.sort_by(|a, b| a.1.cmp(&b.1));
    // Several leaves below a branch, where one page does not hold them.
    let mut leaves: Vec<Entries> = vec![Vec::new()];
    let mut size = 16;
    for entry in entries {
        let own = 16 + entry.1.len() + entry.2.len();
        if size + own > PAGE && !leaves.last().unwrap().is_empty() {
            leaves.push(Vec::new());
            size = 16;
        }
        size += own;
        leaves.last_mut().unwrap().push(entry);
    }
    let mut numbers = Vec::new();
    for entries in &leaves {
        let number = pages.iter().map(|page| page.len() / PAGE).sum::<usize>() as u64 + 2;
        numbers.push((entries.first().map(|entry| entry.1.clone()).unwrap_or_default(), number));
        pages.push(page(number, 0x02, entries.len(), &leaf(entries)));
    }
    if let [(_, only)] = numbers.as_slice() {
        return *only;
    }
    let number = pages.iter().map(|page| page.len() / PAGE).sum::<usize>() as u64 + 2;
    let mut heads = Vec::new();
    let mut keys = Vec::new();
    for (at, (key, child)) in numbers.iter().enumerate() {
        let place = (numbers.len() - at) * 16 + keys.len();
        heads.extend([(place as u32).to_le_bytes(), (key.len() as u32).to_le_bytes()].concat());
        heads.extend(child.to_le_bytes());
        keys.extend_from_slice(key);
    }
    pages.push(page(number, 0x01, numbers.len(), &[heads, keys].concat()));
    number
}

/// What stands for a bucket inside another: its first page, or all of it.
fn held(bucket: &Bucket, pages: &mut Vec<Vec<u8>>) -> Vec<u8> {
    let small: Entries = bucket.values.iter().map(|(key, value)| (0, key.clone(), value.clone())).collect();
    let inline = leaf(&small);
    if bucket.buckets.is_empty() && inline.len() + 16 <= PAGE / 4 {
        let header = [0_u64.to_le_bytes(), 0_u64.to_le_bytes()].concat();
        return [header, header_of(0, 0x02, small.len(), 0), inline].concat();
    }
    let root = write(bucket, pages);
    [root.to_le_bytes(), 0_u64.to_le_bytes()].concat()
}

fn leaf(entries: &Entries) -> Vec<u8> {
    let mut heads = Vec::new();
    let mut data = Vec::new();
    for (at, (flags, key, value)) in entries.iter().enumerate() {
        let place = (entries.len() - at) * 16 + data.len();
        for number in [*flags, place as u32, key.len() as u32, value.len() as u32] {
            heads.extend(number.to_le_bytes());
        }
        data.extend_from_slice(key);
        data.extend_from_slice(value);
    }
    [heads, data].concat()
}

fn header_of(number: u64, flags: u16, count: usize, overflow: u32) -> Vec<u8> {
    [number.to_le_bytes().as_slice(), &flags.to_le_bytes(), &(count as u16).to_le_bytes(), &overflow.to_le_bytes()]
        .concat()
}

fn page(number: u64, flags: u16, count: usize, body: &[u8]) -> Vec<u8> {
    let count_of_pages = (body.len() + 16).div_ceil(PAGE);
    let mut out = header_of(number, flags, count, count_of_pages as u32 - 1);
    out.extend_from_slice(body);
    out.resize(count_of_pages * PAGE, 0);
    out
}

fn meta(number: u64, root: u64, pages: u64, transaction: u64) -> Vec<u8> {
    let mut body = Vec::new();
    for word in [0xED0C_DAED_u32, 2, PAGE as u32, 0] {
        body.extend(word.to_le_bytes());
    }
    for long in [root, 0, 2, pages, transaction] {
        body.extend(long.to_le_bytes());
    }
    let sum = body
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    body.extend(sum.to_le_bytes());
    page(number, 0x04, 0, &body)
}
