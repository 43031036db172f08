//! Devices: a code lets one in once, revoking one ends all it has.

use std::time::Duration;

use sg_app::{NewDevice, NewDeviceToken};
use sg_domain::caller::Anonymous;
use sg_domain::{Caller, ClientAddress, Credential, ErrorKind, Scope};

use crate::harness::Gateway;

fn from(last: u8) -> Option<ClientAddress> {
    Some(ClientAddress::new([192, 0, 2, last].into()))
}

fn laptop() -> NewDevice {
    NewDevice { hostname: " laptop\n".to_owned(), client: "specstory-cli".to_owned(), ..NewDevice::default() }
}

async fn identify(gateway: &Gateway, secret: &str) -> Caller {
    gateway.app.identify(Some(secret), "test".to_owned()).await.unwrap()
}

async fn let_in(gateway: &Gateway) -> NewDeviceToken {
    let code = gateway.app.create_device_code(&gateway.me.caller, None).await.unwrap();
    gateway.app.device_login(&code.code, &laptop(), None).await.unwrap()
}

async fn refused(gateway: &Gateway, code: &str, from: Option<ClientAddress>) -> (ErrorKind, String) {
    let error = gateway.app.device_login(code, &laptop(), from).await.err().expect("refused");
    (error.kind, error.message)
}

const WRONG: &str = "invalid or expired device code";

#[tokio::test(flavor = "multi_thread")]
async fn a_code_lets_one_device_in_once() {
    let gateway = Gateway::start().await;
    gateway.ids.will_be_device_code("aB3xY9");
    let code = gateway.app.create_device_code(&gateway.me.caller, None).await.unwrap();
    assert_eq!((code.code.as_str(), code.expires_at), ("aB3xY9", gateway.app.now().plus_micros(600_000_000)));
    for wrong in ["ab3xy9", "aB3xY", "aB3xY99", "", "äB3xY9", "aB3x/9"] {
        assert_eq!(refused(&gateway, wrong, None).await, (ErrorKind::Unauthenticated, WRONG.to_owned()), "{wrong}");
    }
    let made = gateway.app.device_login(" aB3-xY9 ", &laptop(), None).await.unwrap();
    assert_eq!((made.user.id, made.token.hostname.as_str()), (gateway.me.user.id.clone(), "laptop"));
    assert_eq!((made.token.expires_at.micros() - made.token.created_at.micros()) / 1_000_000 / 86_400, 3_652);
    let (kind, message) = refused(&gateway, "aB3xY9", None).await;
    assert_eq!(kind, ErrorKind::Unauthenticated);
    assert_eq!(message, "device code has already been used and is now invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_ends_after_ten_minutes_and_few_are_open() {
    let gateway = Gateway::start().await;
    let code = async || gateway.app.create_device_code(&gateway.me.caller, None).await.unwrap().code;
    let mut codes = Vec::new();
    for _ in 0..6 {
        codes.push(code().await);
    }
    assert_eq!(refused(&gateway, &codes[0], None).await.1, WRONG, "voided by five newer ones");
    gateway.clock.advance(Duration::from_secs(599));
    gateway.app.device_login(&codes[1], &laptop(), None).await.unwrap();
    gateway.clock.advance(Duration::from_secs(1));
    assert_eq!(refused(&gateway, &codes[2], None).await.1, WRONG);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_makes_a_code_may_do_what_a_device_may() {
    let gateway = Gateway::start().await;
    for scopes in [&[Scope::Read][..], &[Scope::Write], &[Scope::Admin]] {
        let caller = identify(&gateway, &gateway.key_with(&gateway.me, scopes).await).await;
        let error = gateway.app.create_device_code(&caller, None).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Forbidden, "{scopes:?}");
    }
    let error = gateway.app.create_device_code(&Caller::anonymous("x"), None).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_codes_is_stopped() {
    let gateway = Gateway::start().await;
    let code = gateway.app.create_device_code(&gateway.me.caller, from(7)).await.unwrap().code;
    for n in 0..10 {
        assert_eq!(refused(&gateway, &format!("guess{n}"), from(1)).await.0, ErrorKind::Unauthenticated);
    }
    let (kind, _) = refused(&gateway, &code, from(1)).await;
    assert_eq!(kind, ErrorKind::RateLimited { retry_after: Duration::from_secs(600) }, "even with the right one");
    // Many addresses are stopped too, but not whoever sits where the code was made.
    for n in 0..290_u16 {
        let stranger = Some(ClientAddress::new([198, 51, (n >> 8) as u8, n as u8].into()));
        assert_eq!(refused(&gateway, "guess0", stranger).await.0, ErrorKind::Unauthenticated);
    }
    assert!(matches!(refused(&gateway, &code, from(2)).await.0, ErrorKind::RateLimited { .. }));
    gateway.app.device_login(&code, &laptop(), from(7)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_lives_an_hour() {
    let gateway = Gateway::start().await;
    let device = let_in(&gateway).await;
    let token = gateway.app.device_refresh(Some(&device.secret)).await.unwrap();
    assert_eq!(token.expires_at, token.created_at.plus_micros(3_600_000_000));
    let caller = identify(&gateway, &token.secret).await;
    let identity = caller.identity.as_ref().unwrap();
    assert_eq!((&identity.user, identity.credential), (&gateway.me.user.id, Credential::Device(device.token.id)));
    assert!(caller.require(Scope::Read).is_ok() && caller.require(Scope::Write).is_ok());
    assert!(caller.require(Scope::Admin).is_err());
    let used = gateway.app.devices(&gateway.me.caller, false).await.unwrap()[0].last_used_at;
    assert_eq!(used, Some(gateway.app.now()));
    gateway.clock.advance(Duration::from_secs(3_600));
    assert_eq!(identify(&gateway, &token.secret).await.identity, Err(Anonymous::Expired));
    let next = gateway.app.device_refresh(Some(&device.secret)).await.unwrap();
    assert!(identify(&gateway, &next.secret).await.identity.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_token_is_good_for_one_thing() {
    let gateway = Gateway::start().await;
    let device = let_in(&gateway).await;
    let access = gateway.app.device_refresh(Some(&device.secret)).await.unwrap().secret;
    assert_eq!(identify(&gateway, &device.secret).await.identity, Err(Anonymous::RefreshToken));
    let no = async |secret: Option<&str>| {
        let refresh = gateway.app.device_refresh(secret).await.err().unwrap();
        let logout = gateway.app.device_logout(secret).await.unwrap_err();
        assert_eq!((refresh.kind, logout.kind), (ErrorKind::Unauthenticated, ErrorKind::Unauthenticated));
        assert_eq!(refresh.message, logout.message);
        refresh.message
    };
    assert_eq!(no(Some(&access)).await, "invalid token type. Required: device-refresh");
    assert_eq!(no(Some(&gateway.me.key)).await, "invalid token type. Required: device-refresh");
    for nothing in [None, Some(""), Some("sgr_ffff"), Some("sk_live_ffff"), Some(&device.secret[4..])] {
        assert_eq!(no(nothing).await, "invalid or missing authentication token", "{nothing:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_a_device_ends_all_it_has_at_once() {
    let gateway = Gateway::start().await;
    let other = gateway.other().await;
    let (device, kept) = (let_in(&gateway).await, let_in(&gateway).await);
    let access = gateway.app.device_refresh(Some(&device.secret)).await.unwrap().secret;
    let stranger = identify(&gateway, &gateway.key_with(&other, &[Scope::Write]).await).await;
    let error = gateway.app.revoke_device(&stranger, device.token.id).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound, "another account's");
    gateway.app.revoke_device(&gateway.me.caller, device.token.id).await.unwrap();
    gateway.app.revoke_device(&gateway.me.caller, device.token.id).await.unwrap();
    for secret in [&access, &device.secret] {
        assert_eq!(identify(&gateway, secret).await.identity, Err(Anonymous::Revoked));
    }
    let error = gateway.app.device_refresh(Some(&device.secret)).await.err().unwrap();
    assert_eq!(error.message, "token has been revoked");
    gateway.app.device_logout(Some(&device.secret)).await.expect("a known token in any state");
    assert!(gateway.app.device_refresh(Some(&kept.secret)).await.is_ok());
    let states: Vec<_> = gateway.app.devices(&gateway.me.caller, false).await.unwrap();
    assert_eq!(states.iter().map(|d| d.revoked_at.is_some()).collect::<Vec<_>>(), [true, false]);
    assert!(gateway.app.devices(&other.caller, false).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_logs_itself_out() {
    let gateway = Gateway::start().await;
    let device = let_in(&gateway).await;
    let access = gateway.app.device_refresh(Some(&device.secret)).await.unwrap().secret;
    gateway.app.device_logout(Some(&device.secret)).await.unwrap();
    assert_eq!(identify(&gateway, &access).await.identity, Err(Anonymous::Revoked));
    gateway.clock.advance(Duration::from_secs(3_652 * 86_400));
    gateway.app.device_logout(Some(&device.secret)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_device_is_on_disk_in_clear() {
    let gateway = Gateway::start().await;
    let device = let_in(&gateway).await;
    let access = gateway.app.device_refresh(Some(&device.secret)).await.unwrap().secret;
    gateway.ids.will_be_device_code("qZ7wK2");
    gateway.app.create_device_code(&gateway.me.caller, None).await.unwrap();
    for file in std::fs::read_dir(gateway.dir()).unwrap().map(|f| f.unwrap().path()).filter(|p| p.is_file()) {
        let bytes = std::fs::read(&file).unwrap();
        for secret in [&device.secret, &access, "qZ7wK2"] {
            let holds = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!holds, "{} holds {secret}", file.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_takes_what_has_ended_a_day_ago() {
    let gateway = Gateway::start().await;
    let device = let_in(&gateway).await;
    let access = gateway.app.device_refresh(Some(&device.secret)).await.unwrap().secret;
    gateway.clock.advance(Duration::from_secs(2 * 3_600));
    gateway.app.schedule_sweep().await.unwrap();
    gateway.run_jobs().await;
    assert_eq!(identify(&gateway, &access).await.identity, Err(Anonymous::Expired), "it says why for a day");
    gateway.clock.advance(Duration::from_secs(86_400));
    gateway.app.schedule_sweep().await.unwrap();
    gateway.run_jobs().await;
    assert_eq!(identify(&gateway, &access).await.identity, Err(Anonymous::Unknown));
    assert!(gateway.app.device_refresh(Some(&device.secret)).await.is_ok());
}
