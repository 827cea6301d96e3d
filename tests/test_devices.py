from __future__ import annotations

import pytest

from realtime.audio.devices import Device, find_input
from realtime.errors import DeviceError


def device(id: int, name: str, inputs: int = 2, host_api: str = "ALSA", **about) -> Device:
    return Device(id, name, host_api, inputs, 2, 48000.0, **about)


DEVICES = [
    device(0, "HDA Intel PCH: ALC257 Analog (hw:0,0)"),
    device(1, "HDA Intel PCH: HDMI 0 (hw:0,3)", inputs=0),
    device(2, "USB Audio"),
    device(3, "USB Audio: pro"),
    device(5, "default", is_default_input=True),
    device(6, "Headset", host_api="MME"),
    device(7, "Headset", host_api="Windows WASAPI"),
    device(8, "HDMI output", inputs=0),
]


@pytest.mark.parametrize(
    ("argument", "id"),
    [
        ("", 5),
        ("  ", 5),
        ("3", 3),
        ("0", 0),
        ("alc257", 0),
        ("hw:0,0", 0),
        ("PRO", 3),
        ("usb audio", 2),  # an exact name, although 3 has it as a part
        ("usb audio: pro", 3),
        ("headset, windows wasapi", 7),
        ("wasapi", 7),
        (" default ", 5),
    ],
)
def test_an_id_or_part_of_a_name_finds_the_device(argument, id):
    assert find_input(argument, DEVICES).id == id


def test_without_a_default_input_the_first_that_can_record_is_taken():
    assert find_input("", [DEVICES[1], DEVICES[3], DEVICES[2]]).id == 3


def test_an_ambiguous_name_lists_the_candidates_with_their_ids():
    with pytest.raises(DeviceError) as caught:
        find_input("usb", DEVICES)
    assert str(caught.value) == (
        "microphone 'usb' could be 2 (USB Audio, ALSA) or 3 (USB Audio: pro, ALSA): "
        "give more of the name, or the number, as in mic:2"
    )


def test_the_same_name_under_two_host_apis_is_ambiguous():
    with pytest.raises(DeviceError, match=r"6 \(Headset, MME\) or 7 \(Headset, Windows WASAPI\)"):
        find_input("headset", DEVICES)


@pytest.mark.parametrize("argument", ["nosuch", "-1", "4", "99", "9" * 5000, "1.5", "²"])
def test_what_fits_no_device_lists_the_inputs_and_only_those(argument):
    with pytest.raises(DeviceError, match=r"^there is no (microphone|device) ") as caught:
        find_input(argument, DEVICES)
    sentence = str(caught.value)
    assert "take 0 (HDA Intel PCH: ALC257 Analog (hw:0,0), ALSA), 2 (USB Audio, ALSA)" in sentence
    assert "HDMI" not in sentence
    assert len(sentence) < 400


@pytest.mark.parametrize("argument", ["8", "1", "hdmi output", "hdmi"])
def test_a_device_that_only_plays_is_refused_as_such(argument):
    with pytest.raises(DeviceError, match=r"can only play, not record: take 0 \(HDA"):
        find_input(argument, DEVICES)


@pytest.mark.parametrize("argument", ["", "0", "usb"])
@pytest.mark.parametrize("devices", [[], [DEVICES[1]]])
def test_where_nothing_can_record_the_sentence_says_so(argument, devices):
    with pytest.raises(DeviceError, match="no microphone was found: plug one in"):
        find_input(argument, devices)
