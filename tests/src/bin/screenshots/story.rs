//! What the pictures tell: made-up feeds and events.

/// Feeds, and what came of them.
#[derive(Clone, Copy)]
pub(crate) struct Story {
    pub(crate) language: &'static str,
    /// Id, name, and rules in TOML.
    feeds: &'static [(&'static str, &'static str, &'static str)],
    /// Earlier events, the oldest first.
    pub(crate) past: &'static [Telling],
    /// Events that have just come, the newest last.
    pub(crate) now: &'static [Telling],
}

/// One event.
#[derive(Clone, Copy)]
pub(crate) struct Telling {
    pub(crate) minutes_ago: u32,
    pub(crate) feed: &'static str,
    pub(crate) event: &'static str,
    pub(crate) data: &'static str,
}

impl Story {
    /// A `feeds.toml` with its feeds, all served at this address.
    pub(crate) fn config(&self, address: &str) -> String {
        let feed = |(id, name, rules): &(&str, &str, &str)| {
            format!("[[feed]]\nid = '{id}'\nname = '{name}'\nurl = '{address}/{id}'\n{rules}\n")
        };
        self.feeds.iter().map(feed).collect()
    }
}

const fn told(minutes_ago: u32, feed: &'static str, event: &'static str, data: &'static str) -> Telling {
    Telling { minutes_ago, feed, event, data }
}

const MAIL: &str = r#"
[[feed.rule]]
notify = { title = "{{ data.from }}", body = "{{ data.subject }}\n{{ data.preview }}", key = "{{ data.thread }}" }
"#;

const ALERTS: &str = r#"
[[feed.rule]]
when = "data.priority >= 4"
notify = { urgency = "critical" }

[[feed.rule]]
when = "data.priority <= 2"
action = "log"

[[feed.rule]]
"#;

const CONTAINER_LOG: &str = r#"
[[feed.rule]]
when = "'ERROR' in (data | b64decode)"
notify = { title = "{{ feed.name }}", body = "{{ data | b64decode }}" }
"#;

pub(crate) const ENGLISH: Story = Story {
    language: "en",
    feeds: &[
        ("mail", "Mail", MAIL),
        ("ops", "Ops alerts", ALERTS),
        ("builds", "Builds", ""),
        ("log", "Container log", CONTAINER_LOG),
    ],
    past: &[
        told(
            1_530,
            "builds",
            "build",
            r#"{"title":"Build 479 failed","message":"2 of 1,204 tests: resume_after_sleep, resume_after_restart"}"#,
        ),
        told(
            1_466,
            "builds",
            "build",
            r#"{"title":"Build 480 passed","message":"1,204 tests in 14 minutes."}"#,
        ),
        told(
            1_441,
            "mail",
            "mail",
            r#"{"from":"Ingrid Halvorsen","subject":"Contract for the spring workshop","preview":"Both dates suit us. I have signed the first page and will send the rest on Monday."}"#,
        ),
        // ERROR payment: no answer from db-2 within 5 s, order 7731 is retried
        told(
            284,
            "log",
            "message",
            "\"RVJST1IgcGF5bWVudDogbm8gYW5zd2VyIGZyb20gZGItMiB3aXRoaW4gNSBzLCBvcmRlciA3NzMxIGlzIHJldHJpZWQK\"",
        ),
        told(
            251,
            "ops",
            "message",
            r#"{"title":"Nightly backup finished","message":"38 GB in 21 minutes, all of it verified.","priority":2}"#,
        ),
        told(
            97,
            "ops",
            "message",
            r#"{"title":"Certificate of shop.example.org renewed","message":"Valid until 18 February.","priority":3}"#,
        ),
        told(42, "builds", "build", r#"{"title":"Build 481 passed","message":"1,204 tests in 13 minutes."}"#),
        told(
            18,
            "mail",
            "mail",
            r#"{"from":"Priya Raman","subject":"Here are the slides for Thursday.","preview":"Could you have a look at the second part, where the figures are?"}"#,
        ),
    ],
    now: &[
        told(0, "builds", "build", r#"{"title":"Build 482 passed","message":"1,206 tests in 13 minutes."}"#),
        told(
            0,
            "mail",
            "mail",
            r#"{"from":"Bob Larsen","subject":"Lunch tomorrow?","preview":"Half past twelve at the usual place? They have a new menu."}"#,
        ),
        told(
            0,
            "ops",
            "message",
            r#"{"title":"Disk almost full on db-2","message":"/var/lib/postgresql is at 94 %, 11 GB are left. At the present rate it is full in three hours.","priority":5,"click":"https://grafana.example.org/d/disk?host=db-2"}"#,
        ),
    ],
};

pub(crate) const CHINESE: Story = Story {
    language: "zh-CN",
    feeds: &[
        ("mail", "邮件", MAIL),
        ("ops", "运维告警", ALERTS),
        ("builds", "构建", ""),
        ("log", "容器日志", CONTAINER_LOG),
    ],
    past: &[
        told(
            1_530,
            "builds",
            "build",
            r#"{"title":"构建 479 失败","message":"1,204 项测试中有 2 项未通过：resume_after_sleep、resume_after_restart"}"#,
        ),
        told(
            1_466,
            "builds",
            "build",
            r#"{"title":"构建 480 已通过","message":"1,204 项测试，用时 14 分钟。"}"#,
        ),
        told(
            1_441,
            "mail",
            "mail",
            r#"{"from":"林晓彤","subject":"春季培训的合同","preview":"两个日期我们都可以。第一页已签好，其余的下周一发给您。"}"#,
        ),
        // ERROR 支付服务：db-2 在 5 秒内无响应，订单 7731 将重试
        told(
            284,
            "log",
            "message",
            "\"RVJST1Ig5pSv5LuY5pyN5Yqh77yaZGItMiDlnKggNSDnp5LlhoXml6Dlk43lupTvvIzorqLljZUgNzczMSDlsIbph43or5UK\"",
        ),
        told(
            251,
            "ops",
            "message",
            r#"{"title":"夜间备份已完成","message":"21 分钟备份 38 GB，全部校验通过。","priority":2}"#,
        ),
        told(
            97,
            "ops",
            "message",
            r#"{"title":"shop.example.org 的证书已续期","message":"有效期至 2 月 18 日。","priority":3}"#,
        ),
        told(
            42,
            "builds",
            "build",
            r#"{"title":"构建 481 已通过","message":"1,204 项测试，用时 13 分钟。"}"#,
        ),
        told(
            18,
            "mail",
            "mail",
            r#"{"from":"陈嘉禾","subject":"周四的幻灯片，请查收。","preview":"第二部分有几张图表，麻烦帮我看看。"}"#,
        ),
    ],
    now: &[
        told(0, "builds", "build", r#"{"title":"构建 482 已通过","message":"1,206 项测试，用时 13 分钟。"}"#),
        told(
            0,
            "mail",
            "mail",
            r#"{"from":"李明","subject":"明天中午一起吃饭？","preview":"十二点半，老地方？听说换了新菜单。"}"#,
        ),
        told(
            0,
            "ops",
            "message",
            r#"{"title":"db-2 磁盘空间即将耗尽","message":"/var/lib/postgresql 已使用 94%，仅剩 11 GB；按目前的增长速度，约三小时后写满。","priority":5,"click":"https://grafana.example.org/d/disk?host=db-2"}"#,
        ),
    ],
};
