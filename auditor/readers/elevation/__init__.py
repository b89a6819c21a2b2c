"""The rules of sudo and doas in; who becomes whom, by which command, and what asks them first, out. Pure."""

from auditor.readers.elevation.found import Elevation, elevations
from auditor.readers.elevation.names import same
from auditor.readers.elevation.services import ANYTHING, WHICH, Service, named, services

__all__ = ["ANYTHING", "WHICH", "Elevation", "Service", "elevations", "named", "same", "services"]
