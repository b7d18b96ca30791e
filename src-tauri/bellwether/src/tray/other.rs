//! The tray icon on macOS and Windows, where it belongs to the system's own event loop on the main thread.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bellwether_control::messages::Catalogue;
use tao::{
    event::{Event, StartCause},
    event_loop::{ControlFlow, EventLoop, EventLoopBuilder, EventLoopProxy},
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
    time::sleep,
};
use tray_icon::{
    Icon, MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent,
    menu::{IsMenuItem, Menu, MenuEvent, MenuId, MenuItem, PredefinedMenuItem, Submenu},
};

use super::{TrayReport, TrayView, icon, menu};

/// Between two drawings: a burst of events is drawn once.
const REDRAW: Duration = Duration::from_millis(250);
/// The smallest picture that is still sharp at twice the usual size.
const ICON_SIZE: u32 = 44;

/// What [`run`] needs, on its way from the program's thread to the main one.
pub(crate) struct MainThread {
    /// What the tray shows.
    pub(crate) view: watch::Receiver<TrayView>,
    /// The menu's texts.
    pub(crate) catalogue: Arc<Catalogue>,
    /// What a person does with it.
    pub(crate) reports: mpsc::Sender<TrayReport>,
    /// Where the program runs.
    pub(crate) runtime: Handle,
}

/// Shows the icon from the main thread, while the rest of the program runs on `runtime`'s threads. Ends the process when
/// the view's sender is gone.
pub(crate) fn run(main_thread: MainThread) -> ! {
    let MainThread { view, catalogue, reports, runtime } = main_thread;
    let event_loop = event_loop();
    forward(view.clone(), event_loop.create_proxy(), &runtime);

    let mut tray = Tray { catalogue, reports, icon: None, clicks: HashMap::new() };
    event_loop.run(move |event, _, control_flow| {
        *control_flow = ControlFlow::Wait;
        match event {
            // macOS takes an icon only once the loop runs.
            Event::NewEvents(StartCause::Init) => tray.create(&view.borrow()),
            Event::UserEvent(Input::View(view)) => tray.draw(&view),
            Event::UserEvent(Input::Icon(event)) => tray.icon_event(&event),
            Event::UserEvent(Input::Menu(event)) => tray.clicked(event.id()),
            Event::UserEvent(Input::Finished) => *control_flow = ControlFlow::Exit,
            _ => {}
        }
    })
}

/// What reaches the event loop from elsewhere.
enum Input {
    View(TrayView),
    Icon(TrayIconEvent),
    Menu(MenuEvent),
    Finished,
}

fn event_loop() -> EventLoop<Input> {
    #[cfg_attr(windows, expect(unused_mut, reason = "only macOS has something to set"))]
    let mut event_loop = EventLoopBuilder::with_user_event().build();
    #[cfg(target_os = "macos")]
    {
        use tao::platform::macos::{ActivationPolicy, EventLoopExtMacOS as _};
        // No place in the Dock for what has no window.
        event_loop.set_activation_policy(ActivationPolicy::Accessory);
    }
    event_loop
}

fn forward(mut view: watch::Receiver<TrayView>, to: EventLoopProxy<Input>, runtime: &Handle) {
    let icon_events = to.clone();
    TrayIconEvent::set_event_handler(Some(move |event| drop(icon_events.send_event(Input::Icon(event)))));
    let menu_events = to.clone();
    MenuEvent::set_event_handler(Some(move |event| drop(menu_events.send_event(Input::Menu(event)))));
    runtime.spawn(async move {
        while view.changed().await.is_ok() {
            let view = view.borrow_and_update().clone();
            if to.send_event(Input::View(view)).is_err() {
                return;
            }
            sleep(REDRAW).await;
        }
        let _ = to.send_event(Input::Finished);
    });
}

struct Tray {
    catalogue: Arc<Catalogue>,
    reports: mpsc::Sender<TrayReport>,
    icon: Option<(TrayIcon, TrayView)>,
    clicks: HashMap<MenuId, TrayReport>,
}

impl Tray {
    fn create(&mut self, view: &TrayView) {
        let mut builder = TrayIconBuilder::new()
            .with_id("bellwether")
            .with_menu(Box::new(self.menu(view)))
            .with_menu_on_left_click(false)
            .with_tooltip(self.tooltip(view));
        if let Some(icon) = pixels(view) {
            builder = builder.with_icon(icon);
        }
        let available = match builder.build() {
            Ok(icon) => {
                self.icon = Some((icon, view.clone()));
                TrayReport::Available(true, self.catalogue.text("tray.shown").to_owned())
            }
            Err(error) => {
                let cause = error.to_string();
                TrayReport::Available(false, self.catalogue.format("tray.refused", &[("cause", &cause)]))
            }
        };
        self.report(available);
    }

    fn draw(&mut self, view: &TrayView) {
        let Some((icon, drawn)) = self.icon.take() else { return };
        if drawn != *view {
            icon.set_menu(Some(Box::new(self.menu(view))));
            // A failure leaves the former picture, which is better than none.
            let _ = icon.set_tooltip(Some(self.tooltip(view)));
            let _ = icon.set_icon(pixels(view));
        }
        self.icon = Some((icon, view.clone()));
    }

    fn menu(&mut self, view: &TrayView) -> Menu {
        let drawn = Menu::new();
        self.clicks.clear();
        for item in menu::menu(view, &self.catalogue) {
            // Only a menu that is no longer there refuses a line.
            let _ = drawn.append(&*self.item(item));
        }
        drawn
    }

    fn item(&mut self, item: menu::MenuItem) -> Box<dyn IsMenuItem> {
        match item {
            menu::MenuItem::Separator => Box::new(PredefinedMenuItem::separator()),
            menu::MenuItem::Text(label) => Box::new(MenuItem::new(escape(&label), false, None)),
            menu::MenuItem::Entry { label, report } => {
                let entry = MenuItem::new(escape(&label), true, None);
                self.clicks.insert(entry.id().clone(), report);
                Box::new(entry)
            }
            menu::MenuItem::Submenu { label, items } => {
                let submenu = Submenu::new(escape(&label), true);
                for item in items {
                    let _ = submenu.append(&*self.item(item));
                }
                Box::new(submenu)
            }
        }
    }

    fn tooltip(&self, view: &TrayView) -> String {
        format!("Bellwether\n{}", menu::tooltip(view, &self.catalogue))
    }

    fn icon_event(&self, event: &TrayIconEvent) {
        if let TrayIconEvent::Click {
            button: MouseButton::Left, button_state: MouseButtonState::Up, ..
        } = event
        {
            self.report(TrayReport::Open { event: None });
        }
    }

    fn clicked(&self, id: &MenuId) {
        if let Some(report) = self.clicks.get(id) {
            self.report(report.clone());
        }
    }

    fn report(&self, report: TrayReport) {
        // The event loop must not wait.
        let _ = self.reports.try_send(report);
    }
}

/// One ampersand marks the access key.
fn escape(label: &str) -> String {
    label.replace('&', "&&")
}

fn pixels(view: &TrayView) -> Option<Icon> {
    let icon = icon::pixmaps(view).find(|icon| icon.size == ICON_SIZE)?;
    Icon::from_rgba(icon.pixels.to_vec(), icon.size, icon.size).ok()
}
