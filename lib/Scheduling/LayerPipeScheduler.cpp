#include "Schedulers.h"
llvm::Expected<takt::Schedule>
takt::runLayerPipe(const Problem &problem, const ScheduleOptions &options) {
  return runPipeDream(problem, options);
}
