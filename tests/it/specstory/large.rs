//! Uploads of hundreds of megabytes against the real program: its memory stays flat, and what it is killed in the middle
//! of is not there.

use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::TcpStream;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::put::PATH;
use crate::program::{PATIENCE, Program, Server, eventually};

const MIB: usize = 1024 * 1024;

impl Server {
    /// The most memory that the program ever used, in bytes.
    pub fn peak(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
    }
}

/// A program that takes its time: other builds share the machine.
fn program() -> (Program, Server, String) {
    let program = Program::with_user();
    let key = program.key();
    let server = program.serve_with(&["serve"], &[("SESSIONGRAPH_HTTP__REQUEST_TIMEOUT_SECS", "600")]);
    (program, server, key)
}

/// Sends the head of a PUT whose body comes in chunks.
fn begin(server: &Server, key: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&server.base()["http://".len()..]).unwrap();
    stream.set_read_timeout(Some(10 * PATIENCE)).unwrap();
    write!(
        stream,
        "PUT {PATH} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n{headers}Transfer-Encoding: chunked\r\n\r\n"
    )
    .unwrap();
    stream
}

/// Writes what it is given as chunks of a body.
struct Chunks<'a>(&'a mut TcpStream);

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if !bytes.is_empty() {
            write!(self.0, "{:x}\r\n", bytes.len())?;
            self.0.write_all(bytes)?;
            self.0.write_all(b"\r\n")?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The status and the body of the answer; 0 when the server closed the connection on one that was still sending.
fn answer(mut stream: TcpStream) -> (u16, Vec<u8>) {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { return (0, Vec::new()) };
    let body = bytes.split_off(end + 4);
    (String::from_utf8_lossy(&bytes[9..12]).parse().unwrap(), body)
}

/// A line of text that differs from line to line.
fn line(number: usize) -> String {
    let mut state = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut text = String::with_capacity(1_000);
    while text.len() < 984 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push_str(&format!("{state:016x}"));
        text.push(' ');
    }
    text
}

/// Writes a session whose markdown and raw data are of about these sizes.
fn write_session(out: &mut impl Write, markdown_mib: usize, raw_mib: usize) {
    out.write_all(br#"{"projectName":"p","name":"n","rawData":""#).unwrap();
    let pool: Vec<String> = (0..500).map(|n| line(n) + "\\n").collect();
    for number in 0..raw_mib * 1_024 {
        out.write_all(pool[number % pool.len()].as_bytes()).unwrap();
    }
    out.write_all(br#"","markdown":""#).unwrap();
    for number in 0..markdown_mib * 1_024 {
        if number % 2_000 == 0 {
            out.write_all(if number % 4_000 == 0 { b"_**User**_\\n\\n" } else { b"_**Agent**_\\n\\n" }).unwrap();
        }
        out.write_all(pool[number * 7 % pool.len()].as_bytes()).unwrap();
    }
    out.write_all(b"\"}").unwrap();
}

#[test]
fn a_session_of_256_mb_uploads_with_flat_memory() {
    let (_program, server, key) = program();
    assert_eq!(server.ask("GET", "/api/v1/projects", Some(&key), "").0, 200);
    let before = server.peak();
    let mut stream = begin(&server, &key, "");
    write_session(&mut std::io::BufWriter::with_capacity(256 * 1024, Chunks(&mut stream)), 176, 80);
    stream.write_all(b"0\r\n\r\n").unwrap();
    let (status, body) = answer(stream);
    assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
    let grown = server.peak() - before;
    println!("256 MB uploaded: the peak grew by {} MB", grown / MIB);
    assert!(grown < 128 * MIB, "the peak grew by {} MB", grown / MIB);

    // It comes back as it went in, without being in memory either.
    let mut sent = Vec::new();
    write_session(&mut sent, 176, 0);
    let sent = String::from_utf8(sent).unwrap();
    let (_, markdown) = sent.split_once(r#""markdown":""#).unwrap();
    let markdown = markdown.strip_suffix("\"}").unwrap().replace("\\n", "\n");
    let mut stream = TcpStream::connect(&server.base()["http://".len()..]).unwrap();
    stream.set_read_timeout(Some(10 * PATIENCE)).unwrap();
    write!(stream, "GET {PATH} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAccept: text/markdown\r\nAuthorization: Bearer {key}\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    assert_eq!(length, markdown.len());
    let mut read = Vec::with_capacity(length);
    reader.read_to_end(&mut read).unwrap();
    assert!(read == markdown.as_bytes());
    let data = server.graphql(&key, "{ sessions { nodes { markdownSize counts { messages exchanges } } } }");
    let session = &data["sessions"]["nodes"][0];
    assert_eq!(session["markdownSize"], markdown.len());
    assert!(session["counts"]["messages"].as_u64() >= Some(91), "{session}");
    assert_eq!(session["counts"]["exchanges"], 46);
    // Its index job takes no more than the index keeps of one session: 48 MB of text, in a few forms, and the writer's own.
    let word = line(1)[..16].to_owned();
    let find = format!("{{ searchSessions(query: \"{word}\") {{ total }} }}");
    eventually("the session in the index", || server.graphql(&key, &find)["searchSessions"]["total"] == 1);
    let grown = server.peak() - before;
    println!("and indexed: the peak grew by {} MB", grown / MIB);
    assert!(grown < 400 * MIB, "the peak grew by {} MB", grown / MIB);
}

#[test]
fn a_bomb_is_413_with_flat_memory_and_the_server_goes_on() {
    let (program, server, key) = program();
    assert_eq!(server.ask("GET", "/api/v1/projects", Some(&key), "").0, 200);
    let before = server.peak();
    // A megabyte of it unpacks to a gigabyte, ten would to ten: the rest is made on the fly and mostly never asked for.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(br#"{"projectName":"p","name":"n","rawData":"r","markdown":""#).unwrap();
    let piece = vec![b'x'; MIB];
    for _ in 0..200 {
        encoder.write_all(&piece).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    for _ in 0..3 {
        let mut stream = begin(&server, &key, "Content-Encoding: gzip\r\n");
        let mut body = Chunks(&mut stream);
        for _ in 0..50 {
            // The members of a bomb of 10 GB. The server hangs up in the middle.
            if body.write_all(&bomb).is_err() {
                break;
            }
        }
        let (status, _) = answer(stream);
        assert!(matches!(status, 0 | 413), "{status}");
    }
    let grown = server.peak() - before;
    assert!(grown < 64 * MIB, "the peak grew by {} MB", grown / MIB);
    let body = r#"{"projectName":"p","name":"n","rawData":"r","markdown":"m"}"#;
    assert_eq!(server.ask("PUT", PATH, Some(&key), body).0, 201);
    assert_eq!(left_in_spool(&program), 0);
}

#[test]
fn a_server_that_is_killed_in_the_middle_of_an_upload_has_nothing_of_it() {
    let (program, server, key) = program();
    let mut stream = begin(&server, &key, "");
    let mut begun = Vec::new();
    write_session(&mut begun, 24, 8);
    begun.truncate(begun.len() - 2);
    Chunks(&mut stream).write_all(&begun).unwrap();
    eventually("a spool", || spooled(&server) > 0);
    server.kill();
    assert!(left_in_spool(&program) <= 2);
    let server = program.serve_with(&["serve"], &[]);
    assert_eq!(left_in_spool(&program), 0);
    let (status, body) = server.ask("GET", "/api/v1/projects", Some(&key), "");
    assert!(status == 200 && body.contains("\"total\":0"), "{body}");
    let (status, body) =
        server.ask("PUT", PATH, Some(&key), r#"{"projectName":"p","name":"n","rawData":"r","markdown":"m"}"#);
    assert_eq!(status, 201, "{body}");
}

fn left_in_spool(program: &Program) -> usize {
    std::fs::read_dir(program.data().join("spool")).map_or(0, Iterator::count)
}

/// Files that the server holds open in its folder for uploads.
fn spooled(server: &Server) -> usize {
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().flatten();
    open.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|path| path.to_string_lossy().contains("/data/spool/")))
        .count()
}
