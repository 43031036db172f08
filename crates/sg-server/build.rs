//! Bundles the pages (feature `ui`) with npm and esbuild, gzips them and writes the table that the server embeds; and
//! embeds the sample sessions that `demo` shows on a machine where no agent has left any.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

type Outcome<T = ()> = Result<T, String>;

/// What the bundle is made from; nothing else makes it again.
const SOURCES: [&str; 4] = ["ui/package.json", "ui/package-lock.json", "ui/build.mjs", "ui/src"];

fn main() {
    if let Err(message) = build() {
        println!("cargo::error={message}");
    }
}

fn build() -> Outcome {
    println!("cargo::rerun-if-changed=build.rs");
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?);
    samples(&root.join("../../examples/sessions"), &out)?;
    if std::env::var_os("CARGO_FEATURE_UI").is_some() {
        for source in SOURCES {
            println!("cargo::rerun-if-changed={source}");
        }
        let bundle = out.join("ui");
        install(&root.join("ui"))?;
        run(Command::new("node").arg("build.mjs").arg(&bundle).current_dir(root.join("ui")), "node build.mjs")?;
        embed(&bundle, &out)?;
    }
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "cargo talks to build scripts through the environment")]
fn variable(name: &str) -> Outcome<String> {
    std::env::var(name).map_err(|_| format!("{name} is not set, build with cargo"))
}

/// Runs `npm ci`, unless the modules there are those of this lock file.
fn install(ui: &Path) -> Outcome {
    for program in ["node", "npm"] {
        if Command::new(program).arg("--version").output().is_err() {
            return Err(format!(
                "`{program}` is missing: the pages are bundled with Node.js 20 or later and its npm. Install them, or build a \
                 server without pages with `--no-default-features`"
            ));
        }
    }
    let lock = read(&ui.join("package-lock.json"))?;
    let stamp = ui.join("node_modules/.installed-from");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    // Nothing that is bundled needs a script of its own to install, and one would report the installation to its maker.
    run(
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(ui),
        "npm ci",
    )?;
    std::fs::write(&stamp, lock).map_err(|error| format!("cannot write {}: {error}", stamp.display()))
}

fn run(command: &mut Command, name: &str) -> Outcome {
    let output = command.output().map_err(|error| format!("`{name}` cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: Vec<_> = said.lines().filter(|line| !line.trim().is_empty()).take(20).collect();
    Err(format!("`{name}` failed in crates/sg-server/ui ({}): {}", output.status, said.join(" | ")))
}

/// Writes `assets.rs`: every file of the bundle, gzipped, with its media type and ETag.
fn embed(bundle: &Path, out: &Path) -> Outcome {
    let mut table = "static ASSETS: &[Asset] = &[\n".to_owned();
    for name in files(bundle)? {
        let bytes = read(&bundle.join(&name))?;
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let packed = std::io::Write::write_all(&mut packer, &bytes).and_then(|()| packer.finish());
        let packed = packed.map_err(|error| format!("cannot pack {name}: {error}"))?;
        let path = bundle.join(format!("{name}.gz"));
        std::fs::write(&path, packed).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        let media_type = match name.rsplit('.').next().unwrap_or_default() {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "ttf" => "font/ttf",
            "svg" => "image/svg+xml",
            _ => "application/octet-stream",
        };
        let etag = format!("\"{:016x}\"", fingerprint(&bytes));
        let _ = writeln!(
            table,
            "Asset {{ name: {name:?}, media_type: {media_type:?}, gzip: include_bytes!({path:?}), etag: {etag:?} }},"
        );
    }
    table.push_str("];\n");
    std::fs::write(out.join("assets.rs"), table).map_err(|error| format!("cannot write assets.rs: {error}"))
}

/// Writes `samples.rs`: the sample sessions by name.
fn samples(folder: &Path, out: &Path) -> Outcome {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut table = "static SAMPLES: &[(&str, &[u8])] = &[\n".to_owned();
    for name in files(folder)? {
        let path = folder.join(&name);
        println!("cargo::rerun-if-changed={}", path.display());
        if name != "README.md" {
            let _ = writeln!(table, "({name:?}, include_bytes!({path:?})),");
        }
    }
    table.push_str("];\n");
    std::fs::write(out.join("samples.rs"), table).map_err(|error| format!("cannot write samples.rs: {error}"))
}

/// Files below a folder, by their path in it with `/`, sorted; none when there is no such folder.
fn files(folder: &Path) -> Outcome<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let entry = entry.map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push((entry.path(), format!("{name}/")));
            } else if !name.ends_with(".gz") {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// FNV-1a: tells one build's bytes from another's.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
