"""Which titles of tracks are kept: those that say which track it is, in words that name no one."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]{2,}")
_TITLE_WORDS = frozenset(
    """
    main original default primary secondary alternate alternative additional commentary comments
    director directors description descriptive described audio sound track music effects dialogue
    dialog only vocals instrumental stereo mono surround binaural spatial ambisonic dolby atmos
    digital plus truehd dts hd ma aac ac eac flac opus vorbis pcm lpcm mp kbps kb khz hz bit ch
    channel channels left right center front rear subtitle subtitles captions closed open cc sdh
    forced full signs songs and lyrics karaoke for the deaf hard of hearing impaired visually
    blind with without by no voice speech song singing over dub
    dubbed version extended theatrical cut untertitel
    kommentar hauptton hörfassung normal clean mix microphone internal external camera
    english german french spanish italian portuguese brazilian dutch danish swedish norwegian
    finnish icelandic polish czech slovak hungarian romanian bulgarian greek turkish russian
    ukrainian serbian croatian slovenian estonian latvian lithuanian arabic hebrew persian hindi
    urdu bengali tamil telugu thai vietnamese indonesian malay tagalog chinese mandarin cantonese
    simplified traditional japanese korean catalan basque galician welsh irish latin american
    european castilian deutsch englisch français anglais español inglés italiano português
    nederlands dansk svenska norsk suomi polski čeština magyar türkçe русский українська
    eng deu ger fra fre spa ita por nld dut jpn kor zho chi rus en de fr es it pt nl ja ko zh ru
    """.split()  # noqa: SIM905  # easier to read than a list
)


def is_common_title(title: str) -> bool:
    """Return whether a title has no other words than those that distinguish tracks."""
    return all(word.casefold() in _TITLE_WORDS for word in _WORD.findall(title))
