"""The panel's texts in its three languages, and how the language is chosen."""

from __future__ import annotations

LANGUAGES = ("zh-CN", "zh-TW", "en")

TEXTS: dict[str, tuple[str, str, str]] = {
    "title": ("模拟面板", "模擬面板", "Simulation panel"),
    "lead": (
        "按下按钮，看看状态板怎样变化。这里的人和传感器都是模拟的，信号格式与真实设备相同。",
        "按下按鈕，看看狀態板怎樣變化。這裡的人和感測器都是模擬的，訊號格式與真實設備相同。",
        "Press a button and watch the board. People and sensors here are simulated; what they "
        "send has the form that real devices send.",
    ),
    "colon": ("：", "：", ": "),
    "people": ("模拟人数", "模擬人數", "People inside"),
    "floor": ("楼", "樓", "Floor"),
    "motion": ("有人走动", "有人走動", "Somebody moves"),
    "measure": ("测量血压", "測量血壓", "Measure blood pressure"),
    "open_door": ("开门", "開門", "Open door"),
    "is_open": ("开着", "開著", "open"),
    "sensors": ("传感器", "感測器", "Sensors"),
    "works": ("正常", "正常", "works"),
    "repair": ("修好", "修好", "Repair"),
    "plug": ("插上", "插上", "Plug in"),
    "silent": ("不再发送", "不再傳送", "Fall silent"),
    "stuck": ("数值卡住", "數值卡住", "Get stuck"),
    "low_battery": ("电量低", "電量低", "Low battery"),
    "offline": ("网关报离线", "閘道回報離線", "Go offline"),
    "unplugged": ("拔下线缆", "拔下線纜", "Unplug"),
    "stuck_at_0": ("卡在“无人”", "卡在「無人」", "See nobody"),
    "stuck_at_1": ("卡在“有人”", "卡在「有人」", "See somebody"),
    "bad": ("数值无效", "數值無效", "Send bad values"),
    "flapping": ("来回跳变", "來回跳變", "Flap"),
    "now_silent": ("已停止发送", "已停止傳送", "silent"),
    "now_stuck": ("数值已卡住", "數值已卡住", "stuck"),
    "now_low_battery": ("电量低", "電量低", "battery low"),
    "now_offline": ("离线", "離線", "offline"),
    "now_unplugged": ("已拔下", "已拔下", "unplugged"),
    "now_stuck_at_0": ("卡在“无人”", "卡在「無人」", "sees nobody"),
    "now_stuck_at_1": ("卡在“有人”", "卡在「有人」", "sees somebody"),
    "now_bad": ("数值无效", "數值無效", "sends bad values"),
    "now_flapping": ("来回跳变", "來回跳變", "flaps"),
    "done": ("完成", "完成", "Done"),
    "failed": ("没有成功，请再试。", "沒有成功，請再試。", "That did not work; try again."),
    "lost": (
        "与模拟器的连接已断开。",
        "與模擬器的連線已中斷。",
        "The link to the simulator is lost.",
    ),
}


def text(code: str, language: str) -> str:
    """A text in one of the three languages."""
    return TEXTS[code][LANGUAGES.index(language)]


def choose(wanted: str | None, accepted: str) -> str:
    """The language asked for, else the browser's first that we have, else simplified Chinese.

    >>> choose(None, "zh-Hant-HK,zh;q=0.9"), choose(None, "en-GB,en"), choose("en", "zh")
    ('zh-TW', 'en', 'en')
    """
    if wanted in LANGUAGES:
        return str(wanted)
    for item in accepted.split(","):
        tag = item.split(";")[0].strip().lower()
        if tag.startswith("en"):
            return "en"
        if tag.startswith("zh"):
            traditional = any(part in tag for part in ("hant", "tw", "hk", "mo"))
            return "zh-TW" if traditional else "zh-CN"
    return "zh-CN"


def pick(name: dict[str, str], language: str) -> str:
    """A configured name in a language, or in the nearest one it has."""
    order = {"zh-TW": ("zh-TW", "zh-CN", "en"), "zh-CN": ("zh-CN", "zh-TW", "en")}
    for tag in order.get(language, ("en", "zh-CN", "zh-TW")):
        if tag in name:
            return name[tag]
    return next(iter(name.values()), "")
