use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsFd;
use std::process::Command;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::until::poll;
use crate::{PATIENCE, Process};

/// A client's machine, a router and a server's machine, as far as the network is concerned: three network namespaces with
/// cables between them, far from the machine's own network. They end with this value.
pub struct Lan {
    client: Process,
    router: Process,
    server: Process,
}

impl Lan {
    /// The server's address.
    pub const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 2, 2));

    /// Sets it up; the error says why this machine cannot.
    pub fn start() -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("only root can make network namespaces".to_owned());
        }
        let lan = Self { client: name_space()?, router: name_space()?, server: name_space()? };
        let router = lan.router.pid();
        for (machine, gateway, network) in [(&lan.client, "wan", "10.77.1"), (&lan.server, "lan", "10.77.2")]
        {
            let machine = machine.pid();
            run(machine, "ip link set lo up")?;
            run(machine, &format!("ip link add name eth type veth peer name {gateway} netns {router}"))?;
            run(machine, &format!("ip address add {network}.2/24 dev eth"))?;
            run(machine, "ip link set eth up")?;
            run(router, &format!("ip address add {network}.1/24 dev {gateway}"))?;
            run(router, &format!("ip link set {gateway} up"))?;
            run(machine, &format!("ip route add default via {network}.1"))?;
        }
        lan.route(true)?;
        Ok(lan)
    }

    /// Does something on the client's machine: sockets that are made there and programs that are started there stay there.
    #[track_caller]
    pub fn on_client<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        within(&self.client, act)
    }

    /// The same on the server's machine.
    #[track_caller]
    pub fn on_server<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        within(&self.server, act)
    }

    /// Lets the router drop every packet that it should forward, and say nothing; or forward them again.
    #[track_caller]
    pub fn forward(&self, forward: bool) {
        self.route(forward).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Pulls out the client's cable at the router, or plugs it in again.
    #[track_caller]
    pub fn plug_in_client(&self, plugged: bool) {
        let state = if plugged { "up" } else { "down" };
        run(self.router.pid(), &format!("ip link set wan {state}")).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Takes the client's end of the cable down, and with it every way into the network; or up again, with the ways.
    #[track_caller]
    pub fn set_client_link(&self, up: bool) {
        let line = if up {
            "ip link set eth up && ip route add default via 10.77.1.1"
        } else {
            "ip link set eth down"
        };
        run(self.client.pid(), line).unwrap_or_else(|error| panic!("{error}"));
    }

    fn route(&self, forward: bool) -> Result<(), String> {
        let forward = u8::from(forward);
        run(self.router.pid(), &format!("echo {forward} > /proc/sys/net/ipv4/ip_forward"))
    }
}

/// A process that does nothing but hold a network namespace.
fn name_space() -> Result<Process, String> {
    let mut holder = Process::start(Process::command("unshare").args([
        "--net",
        "sh",
        "-c",
        "echo made; exec sleep infinity",
    ]));
    poll(PATIENCE, || {
        let made = holder.lines().iter().any(|line| line == "made");
        (made || holder.exited().is_some()).then_some(made)
    })
    .filter(|made| *made)
    .ok_or_else(|| format!("no network namespace: {}", holder.lines().join("; ")))?;
    Ok(holder)
}

/// Runs a line of shell in the namespace of a process.
fn run(pid: u32, line: &str) -> Result<(), String> {
    let net = format!("--net=/proc/{pid}/ns/net");
    let output = Command::new("nsenter").args([&net, "sh", "-c", line]).output();
    let output = output.map_err(|error| format!("no nsenter: {error}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    output.status.success().then_some(()).ok_or_else(|| format!("{line}: {}", error.trim()))
}

#[track_caller]
fn within<T: Send>(machine: &Process, act: impl FnOnce() -> T + Send) -> T {
    let net = File::open(format!("/proc/{}/ns/net", machine.pid())).expect("the namespace is there");
    let there = || {
        let moved = move_into_link_name_space(net.as_fd(), Some(LinkNameSpaceType::Network));
        moved.expect("who made a namespace may enter it");
        act()
    };
    thread::scope(|scope| scope.spawn(there).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
