//! When a request gets its connection: reqwest's connector tells it, as the time to connect and the time to an answer have
//! limits of their own.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{sync::Notify, task::futures::TaskLocalFuture};
use tower_layer::Layer;
use tower_service::Service;

tokio::task_local! {
    /// Who is told. A connection is made within the request that it is for, as there is no pool.
    static WANTED_BY: Arc<Notify>;
}

/// A request whose connection is told once it is there, TLS included.
pub(super) fn telling<F: Future>(connected: Arc<Notify>, request: F) -> TaskLocalFuture<Arc<Notify>, F> {
    WANTED_BY.scope(connected, request)
}

/// A layer of the client's connector.
#[derive(Clone)]
pub(super) struct TellConnected;

#[derive(Clone)]
pub(super) struct Telling<S>(S);

impl<S> Layer<S> for TellConnected {
    type Service = Telling<S>;

    fn layer(&self, connector: S) -> Telling<S> {
        Telling(connector)
    }
}

impl<S, R> Service<R> for Telling<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, place: R) -> Self::Future {
        let connecting = self.0.call(place);
        Box::pin(async move {
            let connection = connecting.await?;
            let _ = WANTED_BY.try_with(|wanted_by| wanted_by.notify_one());
            Ok(connection)
        })
    }
}
