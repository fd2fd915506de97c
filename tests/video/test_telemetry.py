"""Telemetry is distinguished from speech, in the notations of many cameras."""

from __future__ import annotations

import pytest

from tracker_blur.video.telemetry import Evidence, evidence, is_telemetry_track

CUES_OF_CAMERAS = [
    # DJI, several generations
    "HOME(13.3777,52.5163) 2017.01.24 12:00:01\nGPS(13.3780,52.5160,19) BAROMETER:1.3\n"
    "ISO:100 Shutter:60 EV:0 Fnum:F2.8",
    "F/2.8, SS 320, ISO 100, EV 0, DZOOM 1.000, GPS (13.3777, 52.5163, 19), D 12.30m, H 1.20m, "
    "H.S 0.00m/s, V.S 0.00m/s",
    '<font size="36">FrameCnt : 1, DiffTime : 33ms\n2021-05-01 12:00:01,033,000\n'
    "[iso : 100] [shutter : 1/60.0] [fnum : 280] [ev : 0] [ct : 5000] [color_md : default] "
    "[focal_len : 240] [latitude : 52.516275] [longtitude : 13.377704] [altitude: 34.1]</font>",
    "[iso: 100] [shutter: 1/640.0] [fnum: 2.8] [ev: 0] [color_md: default] [ae_meter_md: 1] "
    "[focal_len: 24.00] [dzoom_ratio: 1.00], [latitude: 52.516275] [longitude: 13.377704] "
    "[rel_alt: 1.300 abs_alt: 33.921] [ct: 5310]",
    "[iso: 100] [latitude: 52.516275] [longitude: 13.377704] [rel_alt: 1.3] 2021-05-01 12:00:01",
    # Autel
    "HOME(E: 13.377704, N: 52.516275) 2021-05-01 12:00:01\n"
    "GPS(E: 13.377704, N: 52.516275, 100.0M)\n"
    "ISO:100 SHUTTER:60 EV:0.0 F-NUM:2.8\nF.PRY (1.0°, 2.0°, 3.0°), G.PRY (0.0°, 0.0°, 0.0°)",
    # Dashcams
    "$GPRMC,120001.00,A,5230.97650,N,01322.66224,E,0.13,309.62,010521,,,A*6B",
    "$GNGGA,120001.00,5230.97650,N,01322.66224,E,1,08,1.1,34.1,M,,M,,*5C",
    "$GSENSORD,3,-12,998",
    "2021/05/01 12:00:01 N52.516275 E13.377704 35 km/h",
    "B-AB 1234 01.05.2021 12:00:01 035KM/H N:52.5163 E:13.3777",
    "2021-05-01 12:00:01 | 52.51628 13.37770 | Unter den Linden, Berlin | 35 km/h",
    "Location: 52.5163, 13.3777 (Unter den Linden 77, 10117 Berlin)",
    "ABC123 HD DASHCAM 2021-05-01 12:00:01 PM",
    "Camera 1 2021/05/01 Sat 12:00:01",
    "DJI Mavic 3 S/N 1581F45T",
    "VIN WVWZZZ1JZXW000001",
    "lat:52.5,lng:13.4",
    "POS 52.516275 13.377704",
    "N 52°31.0' E 013°22.6'",
    "X:+0.012 Y:-0.981 Z:0.034 2021-05-01 12:00:01",
    "2021年05月01日 12时00分01秒 35km/h",
    "经度:13.377704 纬度:52.516275 速度:35km/h",
    # Dates and clocks
    "2021-05-01 12:00:01",
    "05/01/2021 12:00:01 PM",
    "2021-05-01T12:00:01.033Z",
    "20210501120001",
    "Sat May  1 12:00:01 2021",
    "01-May-2021 12:00:01",
    # Places
    "52.516275, 13.377704",
    "52,516275; 13,377704",
    "52°30'58.6\"N 13°22'39.7\"E",
    "52° 30.977\u2032 N, 13° 22.662\u2032 E",
    "N 52° 30' 58.6\" E 13° 22' 39.7\"",
    "Lat: 52.5163 Lon: 13.3777 Alt: 34 m",
    "lat=525162750 lon=133777040",
    "+52.5162+013.3777+034.100/",
    "33U UU 89900 19700",
    "33 U 389900 5819700",
    "9F4MG98H+GX",
    "https://maps.google.com/?q=52.516275,13.377704",
    "GPS: 52.52 13.38",
    '{"t": 1.2, "lat": 52.516275, "lon": 13.377704}',
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIj",
]

CUES_OF_SPEECH = [
    "Hello!",
    "I was born on 5 May 1981 at 12:30.",
    "Meet me at 12:30, 5 Main Street.",
    "- The year was 2021.\n- No, 2020!",
    "We drove at 120 km/h all the way to Berlin.",
    "He is at 52.516275, 13.377704, near the old mill.",
    "Our position is 48 degrees north, 2 degrees east.",
    "The score is 3:2.",
    "At 12:00:01 exactly, the bomb will explode.",
    "On 2021-05-01 at 12:00 we met in the park.",
    "Your PIN is 4711, and the code 123456.",
    "Location, location, location!",
    "The serial is on the back.",
    "No. 5, 10.00, 20.00",
    "35°C.",
    "E4, E5, Nf3, Nc6",
    "192.168.1.1",
    "10, 9, 8, 7, 6...",
    "It costs $1,234.50, not 10.000, 20.000 or 30.000.",
    "10.000, 20.000!",
    "Call +49-30-1234567.",
    "Call +49-1234567.",
    "Room 101, floor 3, building 7.",
    "John 3:16",
    "x = 5, y = 3",
    "Home 3, away 2",
    "Set it to f/2.8 and ISO 100, and a shutter of 1/250.",
    "The altitude is 300 m, and the speed 35 km/h.",
    "Berlin, May 1, 2021",
    "New York, 12:30",
    "♪ 99 Luftballons ♪",
    "<i>[Music]</i>",
    "(phone rings)",
    "[Narrator: 1944]",
    "我们2021年5月1日12:30在那里见面",
    "Wir treffen uns am 01.05.2021 um 12:00 Uhr vor dem Haus.",
    r"{\an8}Two\Nlines",
    "https://example.org/a-long-address-of-a-page-with-1234567890-in-it",
    "Antidisestablishmentarianism",
    "",
]


class TestEvidence:
    """A single cue."""

    @pytest.mark.parametrize("text", CUES_OF_CAMERAS)
    def test_what_cameras_write(self, text: str) -> None:
        assert evidence(text) is Evidence.STRONG
        assert is_telemetry_track([text], [])

    @pytest.mark.parametrize("text", CUES_OF_SPEECH)
    def test_what_people_say(self, text: str) -> None:
        assert evidence(text) is not Evidence.STRONG
        assert not is_telemetry_track([text], [])


class TestTracks:
    """A whole track."""

    def test_speech_stays_speech(self) -> None:
        assert not is_telemetry_track(CUES_OF_SPEECH, ["English", "SubtitleHandler"])

    def test_a_position_in_between_does_not_make_telemetry(self) -> None:
        assert not is_telemetry_track(["One", "52.516275, 13.377704", "Three"], [])

    @pytest.mark.parametrize(
        "template", ["12:00:{:02}", "35.{} km/h", "Sensor {} of 7 reports level {}", "A{}B{}"]
    )
    def test_a_template_in_which_only_numbers_change(self, template: str) -> None:
        cues = [template.format(index, index * 7) for index in range(10)]
        assert is_telemetry_track(cues, [])

    def test_counting_is_speech(self) -> None:
        assert not is_telemetry_track([str(number) for number in range(10, 0, -1)], [])
        assert not is_telemetry_track([f"Take {number}" for number in range(5)], [])

    def test_half_of_the_cues_decide(self) -> None:
        assert is_telemetry_track(["No signal", "$GPRMC,1,A,2,N", "$GPRMC,2,A,3,N"], [])

    @pytest.mark.parametrize("name", ["DJI.Subtitle", "GoPro MET", "telemetry", "GPS log"])
    def test_names_of_cameras(self, name: str) -> None:
        assert is_telemetry_track(["anything"], [name])
        assert is_telemetry_track([], [name])

    def test_an_empty_track_is_none(self) -> None:
        assert not is_telemetry_track([], [""])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1" * 100_000, Evidence.STRONG),
        ("12:34:" * 20_000, Evidence.WEAK),
        ("{" * 60_000 + "}" * 60_000, Evidence.NONE),
        ('{"a":' * 60_000 + "1" + "}" * 60_000, Evidence.STRONG),
        ("who goes there " * 8000, Evidence.NONE),
        ("who goes there " * 8000 + "52.516275, 13.377704 " * 40, Evidence.STRONG),
    ],
    ids=["digits", "colons", "braces", "nested", "speech", "positions behind speech"],
)
def test_huge_cues_take_seconds(text: str, expected: Evidence) -> None:
    """Text of a single cue may be of any length; it took hours."""
    assert evidence(text) is expected
    assert not is_telemetry_track(["!" * 100_000] * 2, [])
