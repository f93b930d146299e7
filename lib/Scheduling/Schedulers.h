//===- Schedulers.h - the schedulers of the registry ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One function and one file for each. All expect a problem that passed check().
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_SCHEDULERS_H
#define TAKT_LIB_SCHEDULING_SCHEDULERS_H

#include "takt/Scheduling/Schedule.h"

namespace takt {

llvm::Expected<Schedule> runSequential(const Problem &problem,
                                       const ScheduleOptions &options);
llvm::Expected<Schedule> runList(const Problem &problem,
                                 const ScheduleOptions &options);
llvm::Expected<Schedule> runPipeDream(const Problem &problem,
                                      const ScheduleOptions &options);
llvm::Expected<Schedule> runPipeDreamReplicated(const Problem &problem,
                                                const ScheduleOptions &options);
llvm::Expected<Schedule> runPipeDream2bw(const Problem &problem,
                                         const ScheduleOptions &options);
llvm::Expected<Schedule> runModulo(const Problem &problem,
                                   const ScheduleOptions &options);
llvm::Expected<Schedule> runExact(const Problem &problem,
                                  const ScheduleOptions &options);
/// The schedulers of which `auto` takes the best; of others the scheduler
/// itself.
llvm::SmallVector<llvm::StringRef> contestants(llvm::StringRef name,
                                               const Problem &problem,
                                               const ScheduleOptions &options);
llvm::Expected<Schedule> runAuto(const Problem &problem,
                                 const ScheduleOptions &options);
llvm::Expected<Schedule> runLayerPipe(const Problem &problem,
                                      const ScheduleOptions &options);
llvm::Expected<Schedule> runLayerPipeReplicated(const Problem &problem,
                                                const ScheduleOptions &options);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_SCHEDULERS_H
