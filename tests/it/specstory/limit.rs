//! What an upload may cost: bytes as they arrive, bytes when they are unpacked, and how many of the one make the other.

use std::io::Write as _;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use flate2::Compression;
use flate2::write::GzEncoder;
use sg_server::config::{Config, HttpConfig};
use tower::ServiceExt as _;

use super::put::{PATH, blobs, gzip, upload, with};
use super::world::{Who, World};

const MIB: usize = 1024 * 1024;

/// A stack of the same world with other limits.
async fn put(world: &World, http: &HttpConfig, gzipped: bool, body: Vec<u8>) -> (u16, String) {
    let http = HttpConfig { spool_dir: world.gateway.dir().join("spool"), ..http.clone() };
    let config = Config { http, ..Config::default() };
    let router = sg_server::http::router(world.gateway.app.clone(), &config);
    let request = Request::put(PATH).header("authorization", format!("Bearer {}", world.key(Who::Me).unwrap()));
    let request = if gzipped { request.header("content-encoding", "gzip") } else { request };
    let pieces: Vec<_> = body.chunks(16 * 1024).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let mut request = request.body(Body::from_stream(futures_util::stream::iter(pieces))).unwrap();
    request.extensions_mut().insert(ConnectInfo(std::net::SocketAddr::from(([127, 0, 0, 1], 40_000))));
    let answer = router.oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert!(status < 400 || body["success"] == false, "{body}");
    (status, body["error"].as_str().unwrap_or_default().to_owned())
}

/// A body whose markdown is one letter, many times over.
fn bomb(bytes: usize, level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(br#"{"projectName":"p","name":"n","rawData":"r","markdown":""#).unwrap();
    let piece = [b'x'; 64 * 1024];
    for _ in 0..bytes / piece.len() {
        encoder.write_all(&piece).unwrap();
    }
    encoder.write_all(b"\"}").unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_is_413_and_the_server_goes_on() {
    let world = World::empty().await;
    let plain = with("markdown", "y".repeat(3 * MIB).into()).to_string().into_bytes();
    let packed = bomb(40 * MIB, Compression::default());
    assert!(packed.len() < 100_000);
    let http = HttpConfig::default();
    let cases = [
        (
            HttpConfig { max_body_bytes: MIB as u64, ..http.clone() },
            false,
            plain.clone(),
            "Request body is larger than 1048576 bytes",
        ),
        (
            HttpConfig { max_unpacked_body_bytes: 2 * MIB as u64, ..http.clone() },
            true,
            gzip(&plain),
            "Request body is larger than 2097152 bytes when it is unpacked",
        ),
        (
            HttpConfig { max_unpacked_body_bytes: 2 * MIB as u64, ..http.clone() },
            false,
            plain.clone(),
            "Request body is larger than 2097152 bytes when it is unpacked",
        ),
        (http.clone(), true, packed.clone(), "Request body is packed more than 200 to 1"),
    ];
    for (http, gzipped, body, text) in cases {
        assert_eq!(put(&world, &http, gzipped, body).await, (413, text.to_owned()));
    }
    assert_eq!(blobs(&world), 0);
    assert_eq!(world.get("/api/v1/projects").await.json()["data"]["total"], 0);
    assert!(std::fs::read_dir(world.gateway.dir().join("spool")).map_or(0, Iterator::count) == 0);
    // What is well packed and small enough is not refused, nor what is large and allowed to be packed that well.
    assert_eq!(put(&world, &http, true, bomb(10 * MIB, Compression::default())).await.0, 201);
    let lenient = HttpConfig { max_body_ratio: 2_000, ..http.clone() };
    assert_eq!(put(&world, &lenient, true, packed).await.0, 200);
    assert_eq!(world.tell(Who::Me, "PUT", PATH, &upload()).await.status, 200);
    world.gateway.run_jobs().await;
}
