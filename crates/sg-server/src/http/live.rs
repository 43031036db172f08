//! What lasts: sockets and event streams, counted in all, by address and by caller. Each holds a [`Place`] while it is open.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use sg_domain::{Caller, ClientAddress, Credential, KeyId};

use crate::config::SocketSection;

/// What lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A WebSocket.
    Socket,
    /// An event stream.
    Stream,
}

/// All that is open.
pub(crate) struct Live {
    max_open: usize,
    max_per_address: usize,
    max_per_caller: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    sockets: usize,
    streams: usize,
    by_address: HashMap<IpAddr, usize>,
    by_caller: HashMap<KeyId, usize>,
}

/// Why nothing more is opened, in words for who wanted it.
pub(crate) type Full = &'static str;

impl Live {
    /// Nothing yet.
    pub(crate) fn new(section: &SocketSection) -> Self {
        let SocketSection { max_open, max_per_address, max_per_caller, .. } = *section;
        Self { max_open, max_per_address, max_per_caller, open: Mutex::default() }
    }

    /// Open sockets.
    pub(crate) fn sockets(&self) -> usize {
        self.open.lock().sockets
    }

    /// Open event streams.
    pub(crate) fn streams(&self) -> usize {
        self.open.lock().streams
    }

    /// A place for something from an address.
    pub(crate) fn enter(self: &Arc<Self>, kind: Kind, address: ClientAddress) -> Result<Place, Full> {
        let mut open = self.open.lock();
        if open.sockets + open.streams >= self.max_open {
            return Err("too many sockets and streams are open here, try again later");
        }
        let address = address.network();
        if !add(&mut open.by_address, address, self.max_per_address) {
            return Err("too many sockets and streams from this address, close some");
        }
        match kind {
            Kind::Socket => open.sockets += 1,
            Kind::Stream => open.streams += 1,
        }
        Ok(Place { live: Arc::clone(self), kind, address, caller: None })
    }
}

/// Counts one more, unless there are as many as there may be.
fn add<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: K, max: usize) -> bool {
    let count = counts.entry(key).or_default();
    let is_room = *count < max;
    *count += usize::from(is_room);
    is_room
}

fn take<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// Something that is open; dropping it makes room for another.
pub(crate) struct Place {
    live: Arc<Live>,
    kind: Kind,
    address: IpAddr,
    caller: Option<KeyId>,
}

impl Place {
    /// Counts it for its caller too, once that is known.
    pub(crate) fn belongs_to(&mut self, caller: &Caller) -> Result<(), Full> {
        let Ok(identity) = &caller.identity else { return Ok(()) };
        let key = match identity.credential {
            Credential::Local => return Ok(()),
            Credential::Key(key) | Credential::Device(key) | Credential::Web(key) => key,
        };
        if !add(&mut self.live.open.lock().by_caller, key, self.live.max_per_caller) {
            return Err("too many sockets and streams of this key, close some");
        }
        self.caller = Some(key);
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.live.open.lock();
        match self.kind {
            Kind::Socket => open.sockets -= 1,
            Kind::Stream => open.streams -= 1,
        }
        take(&mut open.by_address, &self.address);
        if let Some(caller) = &self.caller {
            take(&mut open.by_caller, caller);
        }
    }
}

#[cfg(test)]
mod tests {
    use sg_domain::{Dialect, Identity, Scopes, UserId};

    use super::*;

    fn caller(n: u128) -> Caller {
        let credential = Credential::Key(KeyId(uuid::Uuid::from_u128(n)));
        let identity = Identity { user: UserId("u".to_owned()), credential, scopes: Scopes::default() };
        Caller { identity: Ok(identity), dialect: Dialect::default(), request_id: String::new() }
    }

    #[test]
    fn places_are_bounded_in_every_way_and_come_back() {
        let section = SocketSection { max_open: 4, max_per_address: 3, max_per_caller: 2, ..SocketSection::default() };
        let live = Arc::new(Live::new(&section));
        let from = |last: u8| ClientAddress::new([192, 0, 2, last].into());
        let mut places: Vec<_> = (0..3).map(|_| live.enter(Kind::Socket, from(1)).ok().unwrap()).collect();
        assert!(live.enter(Kind::Stream, from(1)).is_err_and(|full| full.contains("address")));
        for place in &mut places[..2] {
            place.belongs_to(&caller(1)).unwrap();
        }
        assert!(places[2].belongs_to(&caller(1)).is_err_and(|full| full.contains("key")));
        places[2].belongs_to(&caller(2)).unwrap();
        let stream = live.enter(Kind::Stream, from(2)).ok().unwrap();
        assert!(live.enter(Kind::Stream, from(3)).is_err_and(|full| full.contains("here")));
        assert_eq!((live.sockets(), live.streams()), (3, 1));
        drop((places, stream));
        let open = live.open.lock();
        assert_eq!((open.sockets, open.streams, open.by_address.len(), open.by_caller.len()), (0, 0, 0, 0));
    }
}
