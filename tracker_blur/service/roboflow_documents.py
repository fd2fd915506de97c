"""The documents of Roboflow's inference protocol: what its clients send, and what they expect.

Fields that concern Roboflow's accounts, billing and data sets (`source`, `disable_active_learning`,
`countinference`, ...) are not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

from tracker_blur.core.detector_choice import AUTO
from tracker_blur.service.detection_models import DetectedBox, ImageSize
from tracker_blur.service.pool import Choice

if TYPE_CHECKING:
    from tracker_blur.core.predictions import Predictions

MAX_IMAGES = 64
"""In one request."""

DEFAULT_MODEL = "default"
"""Names the service's own detector, which may be a file."""

CLASS_WORDS = ("faces", "plates")
"""Classes that are models, too: of the service's own detector, or the best one that knows them."""

_PERCENT = 100

Share = Annotated[float, Field(ge=0, le=1)]
Confidence = Share | Literal["best", "default"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request wants reported.

    Attributes:
        choice: The detector.
        confidence: The lowest score; None: the detector's own.
        overlap: The threshold of non-maximum suppression; None: the detector's own.
        classes: Only these; None: all.
        most: The most detections, those with the highest scores; None: all.
    """

    choice: Choice
    confidence: float | None
    overlap: float | None
    classes: tuple[str, ...] | None
    most: int | None


def choice_of(model_id: str) -> Choice:
    """Return the detector of a model id; what follows a slash, the version, does not matter."""
    name = model_id.partition("/")[0]
    if name == DEFAULT_MODEL:
        return Choice()
    words = tuple(dict.fromkeys(name.split(",")))
    return Choice(classes=words) if set(words) <= set(CLASS_WORDS) else Choice(name)


class LegacyQuery(BaseModel):
    """The query of API v0."""

    api_key: str | None = Field(None, description="The service's token.")
    confidence: Confidence | None = Field(
        None,
        description="Lowest score, 0 to 1; from 1 on, it is in percent. Default, as with `best` "
        "and `default`: the detector's own.",
    )
    overlap: Share | None = Field(
        None,
        description="Non-maximum suppression: of two boxes of a class with a larger intersection "
        "over union, the one with the higher score stays; 0 to 1, from 1 on in percent. Default: "
        "the detector's own.",
    )
    max_detections: int | None = Field(None, ge=1, description="Default: 1000 of each class.")
    image: str | None = Field(
        None,
        description="The URL of the image, instead of a body; of a host "
        "that the service may fetch from.",
    )
    image_type: Literal["base64"] = Field(
        "base64", description="`numpy` is refused: its pickled arrays would execute code here."
    )
    format: Literal["json"] = Field("json", description="Images with boxes are not made.")
    disable_preproc_auto_orient: Literal[False] = False

    def wanted(self, model: str) -> Wanted:
        """Return what is wanted of a model."""
        return Wanted(
            choice_of(model), _score(self.confidence), self.overlap, None, self.max_detections
        )

    @field_validator("confidence", "overlap", mode="before")
    @classmethod
    def _share(cls, value: Any) -> Any:
        """Return a share, also of a percentage."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            return value
        return number / _PERCENT if number >= 1 else number


class ImageDocument(BaseModel):
    """An image of API v1."""

    type: Literal["base64", "url"] = Field(
        description="`numpy` is refused: its pickled arrays would execute code here."
    )
    value: str = Field(
        description="The file in base64, or a URL of a host that the service may fetch from."
    )


class InferenceQuery(BaseModel):
    """The body of `/infer/object_detection`."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: str = Field(max_length=200, examples=[f"{AUTO}/1", "faces,plates/1"])
    image: Annotated[
        Annotated[ImageDocument, Tag("one")]
        | Annotated[list[ImageDocument], Tag("list"), Field(min_length=1, max_length=MAX_IMAGES)],
        Discriminator(lambda given: "list" if isinstance(given, list) else "one"),
    ]
    api_key: str | None = Field(
        None, description="The service's token; where there is one, the first field."
    )
    confidence: Confidence | None = Field(
        None, description="Lowest score. Default, as with `best` and `default`: the detector's own."
    )
    iou_threshold: Share | None = Field(
        None,
        description="Non-maximum suppression: of two boxes of a class with a larger intersection "
        "over union, the one with the higher score stays. Default: the detector's own.",
    )
    max_detections: int | None = Field(None, ge=1, description="Default: 1000 of each class.")
    class_filter: list[str] | None = Field(None, description="Report these classes only.")
    class_agnostic_nms: Literal[False] | None = None
    visualize_predictions: Literal[False] | None = Field(
        None, description="Images with boxes are not made."
    )
    disable_preproc_auto_orient: Literal[False] | None = None

    def wanted(self) -> Wanted:
        """Return what is wanted."""
        return Wanted(
            choice_of(self.model_id),
            _score(self.confidence),
            self.iou_threshold,
            None if self.class_filter is None else tuple(self.class_filter),
            self.max_detections,
        )

    @property
    def images(self) -> list[ImageDocument]:
        """All of its images."""
        return self.image if isinstance(self.image, list) else [self.image]


class ModelQuery(BaseModel):
    """The body of `/model/add` and `/model/remove`."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: str = Field(max_length=200)
    api_key: str | None = Field(
        None, description="The service's token; where there is one, in the first fields."
    )


class ModelDescription(BaseModel):
    """A model that was added."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: str
    task_type: Literal["object-detection"] = "object-detection"
    batch_size: None = Field(default=None, description="Any.")
    input_height: None = Field(default=None, description="Any.")
    input_width: None = Field(default=None, description="Any.")


class ModelList(BaseModel):
    """The models that were added."""

    models: list[ModelDescription]


class ServerInfo(BaseModel):
    """Which server this is."""

    name: str
    version: str
    uuid: str


class InferredBox(DetectedBox):
    """One detection, with an identifier."""

    detection_id: str = Field(default_factory=lambda: str(uuid4()))


class Inference(BaseModel):
    """What the detector reports in an image; `supervision.Detections.from_inference` reads it."""

    inference_id: str = Field(default_factory=lambda: str(uuid4()))
    time: float = Field(description="Seconds for decoding and detecting.")
    image: ImageSize
    predictions: list[InferredBox] = Field(description="The highest score first.")

    @classmethod
    def of(cls, predictions: Predictions, seconds: float, wanted: Wanted) -> Inference:
        """Return the document of an image's detections.

        Args:
            predictions: The detections, the highest score first.
            seconds: The time that they took.
            wanted: Which of them are reported.
        """
        document = predictions.to_dict()
        reported = [
            each
            for each in document["predictions"]
            if wanted.classes is None or each["class"] in wanted.classes
        ]
        return cls.model_validate(
            {
                "time": round(seconds, 4),
                "image": document["image"],
                "predictions": reported[: wanted.most],
            }
        )


def _score(confidence: float | str | None) -> float | None:
    return None if isinstance(confidence, str) else confidence
