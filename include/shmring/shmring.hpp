// SPDX-License-Identifier: Apache-2.0
// Everything that a program needs to emit. Read on in ring.hpp, logger.hpp and tracer.hpp.
#pragma once

#include "shmring/attribute.hpp"
#include "shmring/ids.hpp"
#include "shmring/limits.hpp"
#include "shmring/log_encoder.hpp"
#include "shmring/logger.hpp"
#include "shmring/result.hpp"
#include "shmring/ring.hpp"
#include "shmring/severity.hpp"
#include "shmring/signal.hpp"
#include "shmring/span.hpp"
#include "shmring/span_encoder.hpp"
#include "shmring/traceparent.hpp"
#include "shmring/tracer.hpp"
#include "shmring/version.hpp"
#include "shmring/writer.hpp"
