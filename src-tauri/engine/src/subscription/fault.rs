//! Errors of the network to the reasons that a person is told. They are told apart by their types: texts change.

use std::{error::Error, io, iter, time::Duration};

use http::Uri;
use hyper_util::client::legacy::connect::{
    HttpConnector,
    proxy::{SocksV5, Tunnel},
};
use rustls::{AlertDescription, CertificateError};
use tower_service::Service;
use url::Url;

use super::route::{RequestError, Via};
use crate::feed::{ProxyFault, Reason};

/// Why a tunnel through an HTTP proxy could not be made. hyper-util gives this type no name of its own.
type TunnelError = <Tunnel<HttpConnector> as Service<Uri>>::Error;
/// Why a SOCKS proxy made no connection.
type SocksError = <SocksV5<HttpConnector> as Service<Uri>>::Error;

/// Why a request to `url`, by a proxy or not, got no response.
pub(super) fn of_request(
    error: &RequestError,
    url: &Url,
    via: Option<&Via>,
    connect_timeout: Duration,
) -> Reason {
    if let RequestError::File(reason) = error {
        return reason.clone();
    }
    if let Some((via, fault)) = via.and_then(|via| Some((via, of_proxy(error, via, connect_timeout)?))) {
        return Reason::Proxy { proxy: via.proxy.clone(), fault };
    }
    let host = || url.host_str().unwrap_or_default().to_owned();
    if let Some(tls) = find::<rustls::Error>(error) {
        return of_tls(tls, host());
    }
    let RequestError::Http(http) = error else { return Reason::Network(root_cause(error)) };
    if http.is_dns() {
        return Reason::Dns(host());
    }
    if !http.is_connect() {
        return if http.is_builder() {
            Reason::Network(root_cause(error))
        } else {
            Reason::Broken(root_cause(error))
        };
    }
    if http.is_timeout() {
        return Reason::ConnectTimeout(connect_timeout);
    }
    let place = || match url.port_or_known_default() {
        Some(port) => format!("{}:{port}", host()),
        None => host(),
    };
    use io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkDown, NetworkUnreachable, UnexpectedEof,
    };
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(ConnectionRefused) => Reason::Refused(place()),
        Some(HostUnreachable | NetworkUnreachable | NetworkDown | AddrNotAvailable) => {
            Reason::Unreachable(place())
        }
        Some(UnexpectedEof) if url.scheme() == "https" => Reason::Tls(root_cause(error)),
        _ => Reason::Network(root_cause(error)),
    }
}

/// What the proxy did wrong; `None`: nothing, it is the server's doing.
fn of_proxy(error: &RequestError, via: &Via, connect_timeout: Duration) -> Option<ProxyFault> {
    if let Some(error) = find::<TunnelError>(error) {
        return Some(match error {
            TunnelError::ConnectFailed(cause) => ProxyFault::Unreachable(root_cause(&**cause)),
            TunnelError::ProxyAuthRequired => ProxyFault::SignIn,
            // It tells which status, but hyper-util does not hand it on.
            TunnelError::TunnelUnsuccessful => ProxyFault::Refused(String::new()),
            other => ProxyFault::Refused(root_cause(other)),
        });
    }
    if let Some(error) = find::<SocksError>(error) {
        return Some(match error {
            SocksError::Inner(cause) => ProxyFault::Unreachable(root_cause(cause)),
            SocksError::V5(cause) if format!("{cause:?}").starts_with("Auth") => ProxyFault::SignIn,
            SocksError::V5(cause) => ProxyFault::Refused(cause.to_string()),
            SocksError::Io(cause) => ProxyFault::Refused(cause.to_string()),
            other => ProxyFault::Refused(other.to_string()),
        });
    }
    let RequestError::Http(http) = error else { return None };
    if !http.is_connect() {
        None
    } else if http.is_timeout() {
        Some(ProxyFault::Timeout(connect_timeout))
    } else {
        // Nothing but the connection to the proxy itself is made then.
        via.sees_requests.then(|| ProxyFault::Unreachable(root_cause(error)))
    }
}

/// Why a body broke off.
pub(super) fn of_body(error: &reqwest::Error) -> Reason {
    Reason::Broken(root_cause(error))
}

fn of_tls(error: &rustls::Error, host: String) -> Reason {
    use AlertDescription::{
        AccessDenied, BadCertificate, CertificateExpired, CertificateRequired, CertificateRevoked,
        CertificateUnknown, UnknownCA, UnsupportedCertificate,
    };
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
    };
    match error {
        // Said by the server, so it is about the certificate of this side.
        rustls::Error::AlertReceived(
            AccessDenied
            | BadCertificate
            | CertificateExpired
            | CertificateRequired
            | CertificateRevoked
            | CertificateUnknown
            | UnknownCA
            | UnsupportedCertificate,
        ) => Reason::TlsClientCertificate(host),
        rustls::Error::InvalidCertificate(fault) => match fault {
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => {
                Reason::TlsExpired(host)
            }
            NotValidForName | NotValidForNameContext { .. } => Reason::TlsName(host),
            _ => Reason::TlsUntrusted(host),
        },
        other => Reason::Tls(other.to_string()),
    }
}

/// The text of the innermost error, which names the cause; the outer ones only say where it happened, some with the whole
/// URL and the secrets in it.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

/// The innermost error of a type.
pub(super) fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).filter_map(|cause| cause.downcast_ref()).last()
}

/// The error and all that led to it. What an `io::Error` wraps is not its source (its source's source is), so it is taken
/// out by hand.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error: &&'a (dyn Error + 'static)| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_certificate(fault: CertificateError) -> Reason {
        // As tokio-rustls hands it on.
        let error = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(fault));
        let found = find::<rustls::Error>(&error).unwrap();
        of_tls(found, "example.org".into())
    }

    #[test]
    fn faults_of_a_certificate_are_told_apart() {
        let host = || "example.org".to_owned();
        for (fault, reason) in [
            (CertificateError::UnknownIssuer, Reason::TlsUntrusted(host())),
            (CertificateError::BadSignature, Reason::TlsUntrusted(host())),
            (CertificateError::Expired, Reason::TlsExpired(host())),
            (CertificateError::NotValidYet, Reason::TlsExpired(host())),
            (CertificateError::NotValidForName, Reason::TlsName(host())),
        ] {
            assert_eq!(of_certificate(fault), reason);
        }
    }
}
