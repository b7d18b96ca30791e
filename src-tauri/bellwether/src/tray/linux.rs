//! The tray icon as a StatusNotifierItem on the session bus.

use std::{sync::Arc, time::Duration};

use bellwether_control::messages::Catalogue;
use ksni::TrayMethods as _;
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use super::{REPORTS, TrayReport, TrayView, icon, menu};
use crate::desktop::{Bus, Desktop};

/// Between two drawings: a burst of events is drawn once.
const REDRAW: Duration = Duration::from_millis(250);
/// Until a tray host that refused the icon is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// Shows the icon on the current tokio runtime, wherever and whenever there is a bus and a tray host, until the view's
/// sender or the reports' receiver is gone.
pub(crate) fn start(
    view: watch::Receiver<TrayView>,
    catalogue: Arc<Catalogue>,
    desktop: &Desktop,
) -> mpsc::Receiver<TrayReport> {
    let (reports, received) = mpsc::channel(REPORTS);
    let bus = desktop.bus();
    tokio::spawn(async move {
        let tray = Tray { view, reports: reports.clone(), catalogue, told: None };
        tokio::select! {
            () = reports.closed() => {}
            () = tray.run(bus) => {}
        }
    });
    received
}

struct Tray {
    view: watch::Receiver<TrayView>,
    reports: mpsc::Sender<TrayReport>,
    catalogue: Arc<Catalogue>,
    /// The availability that was reported last.
    told: Option<(bool, String)>,
}

/// Why an icon is no longer shown.
enum End {
    /// Nobody has a view to show any more.
    Finished,
    BusChanged,
}

impl Tray {
    async fn run(mut self, mut bus: watch::Receiver<Bus>) {
        loop {
            let now = bus.borrow_and_update().clone();
            match now {
                Bus::Connecting => {}
                Bus::Missing(cause) => {
                    let why = self.catalogue.format("tray.bus_missing", &[("cause", &cause)]);
                    self.available(false, why).await;
                }
                Bus::Connected(_) => match self.show(&mut bus).await {
                    Ok(End::Finished) => return,
                    Ok(End::BusChanged) => continue,
                    Err(error) => {
                        let cause = error.to_string();
                        let why = self.catalogue.format("tray.refused", &[("cause", &cause)]);
                        self.available(false, why).await;
                        sleep(ASK_AGAIN).await;
                        continue;
                    }
                },
            }
            if bus.changed().await.is_err() {
                return;
            }
        }
    }

    /// Shows one icon until the bus or the view's sender is gone.
    async fn show(&mut self, bus: &mut watch::Receiver<Bus>) -> Result<End, ksni::Error> {
        let (has_host, mut host) = watch::channel(true);
        let mut drawn = self.view.borrow_and_update().clone();
        let item = Item {
            view: drawn.clone(),
            catalogue: self.catalogue.clone(),
            reports: self.reports.clone(),
            has_host,
        };
        // A host that is not there yet will find the icon when it comes.
        let handle = item.assume_sni_available(true).spawn().await?;
        let end = loop {
            let shown = *host.borrow_and_update();
            let detail =
                self.catalogue.text(if shown { "tray.shown" } else { "tray.host_missing" }).to_owned();
            self.available(shown, detail).await;
            tokio::select! {
                _ = bus.changed() => break End::BusChanged,
                Ok(()) = host.changed() => {}
                changed = self.view.changed() => {
                    if changed.is_err() {
                        break End::Finished;
                    }
                    let view = self.view.borrow_and_update().clone();
                    if view != drawn {
                        drawn.clone_from(&view);
                        handle.update(|item| item.view = view).await;
                        sleep(REDRAW).await;
                    }
                }
            }
        };
        handle.shutdown().await;
        Ok(end)
    }

    async fn available(&mut self, available: bool, detail: String) {
        let now = Some((available, detail));
        if self.told == now {
            return;
        }
        self.told.clone_from(&now);
        if let Some((available, detail)) = now {
            let _ = self.reports.send(TrayReport::Available(available, detail)).await;
        }
    }
}

/// What ksni asks for the icon's properties.
struct Item {
    view: TrayView,
    catalogue: Arc<Catalogue>,
    reports: mpsc::Sender<TrayReport>,
    has_host: watch::Sender<bool>,
}

impl Item {
    fn report(&self, report: TrayReport) {
        // Called by ksni, which cannot wait.
        let _ = self.reports.try_send(report);
    }
}

impl ksni::Tray for Item {
    fn id(&self) -> String {
        "bellwether".to_owned()
    }

    fn title(&self) -> String {
        "Bellwether".to_owned()
    }

    fn category(&self) -> ksni::Category {
        ksni::Category::Communications
    }

    fn icon_pixmap(&self) -> Vec<ksni::Icon> {
        let sized = |icon: icon::Pixmap| {
            let size = i32::try_from(icon.size).unwrap_or_default();
            ksni::Icon { width: size, height: size, data: icon.pixels.to_vec() }
        };
        icon::pixmaps(&self.view).map(sized).collect()
    }

    fn tool_tip(&self) -> ksni::ToolTip {
        ksni::ToolTip {
            title: self.title(),
            // Hosts read it as markup (StatusNotifierItem, "ToolTip").
            description: menu::tooltip(&self.view, &self.catalogue)
                .replace('&', "&amp;")
                .replace('<', "&lt;"),
            ..ksni::ToolTip::default()
        }
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        self.report(TrayReport::Open { event: None });
    }

    fn menu(&self) -> Vec<ksni::MenuItem<Self>> {
        menu::menu(&self.view, &self.catalogue).into_iter().map(draw).collect()
    }

    fn watcher_online(&self) {
        self.has_host.send_replace(true);
    }

    fn watcher_offline(&self, _reason: ksni::OfflineReason) -> bool {
        self.has_host.send_replace(false);
        true
    }
}

fn draw(item: menu::MenuItem) -> ksni::MenuItem<Item> {
    // One underscore marks the access key (com.canonical.dbusmenu, "label").
    let escape = |label: String| label.replace('_', "__");
    match item {
        menu::MenuItem::Separator => ksni::MenuItem::Separator,
        menu::MenuItem::Text(label) => {
            ksni::menu::StandardItem { label: escape(label), enabled: false, ..Default::default() }.into()
        }
        menu::MenuItem::Entry { label, report } => ksni::menu::StandardItem {
            label: escape(label),
            activate: Box::new(move |item: &mut Item| item.report(report.clone())),
            ..Default::default()
        }
        .into(),
        menu::MenuItem::Submenu { label, items } => ksni::menu::SubMenu {
            label: escape(label),
            submenu: items.into_iter().map(draw).collect(),
            ..Default::default()
        }
        .into(),
    }
}
