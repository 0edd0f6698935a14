"""Types of fields that many bodies and answers have in common."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

# What a column of whole numbers holds in every database.
LARGEST = 2**31 - 1

# The version of an image or a release, or any number that counts things from 1.
Number = Annotated[int, Meta(ge=1, le=LARGEST)]
# A moment without a time zone is none.
Moment = Annotated[datetime, Meta(tz=True)]
