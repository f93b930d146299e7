//===- LinkNetwork.h - links and routes -------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_MACHINE_LINKNETWORK_H
#define TAKT_LIB_MACHINE_LINKNETWORK_H

#include "takt/Machine/Machine.h"
#include <map>

namespace takt {

/// Directed links between nodes, which are the processors and then the switches
/// of a tree. Every pair of processors has one fixed route, found hop by hop:
/// what is left of a route does not depend on where it began.
class LinkNetwork {
public:
  /// Bandwidth and latency of a link.
  struct Rate {
    int64_t bytesPerCycle = 0; ///< 0: unlimited
    int64_t latencyCycles = 0;
    bool operator==(const Rate &o) const {
      return bytesPerCycle == o.bytesPerCycle &&
             latencyCycles == o.latencyCycles;
    }
  };
  /// A link and the node that it leads to.
  struct Hop {
    int64_t link, node;
  };

  /// Fails as Machine::connect() says. Not for a bus.
  static llvm::Expected<std::shared_ptr<const LinkNetwork>>
  build(const Interconnect &interconnect, int64_t processors);

  virtual ~LinkNetwork() = default;

  Machine::Route route(int64_t from, int64_t to) const;
  Rate rate(int64_t link) const;
  /// Of the slowest link on the route; 0: unlimited.
  int64_t bytesPerCycle(int64_t from, int64_t to) const;
  int64_t latencyCycles(int64_t from, int64_t to) const;
  std::string linkName(int64_t link) const;
  bool hasUnlimitedLinks() const { return isUnlimited; }
  bool hasFreeTransfers() const { return isFree; }

  /// Links are numbered below this; not all numbers need be links.
  virtual int64_t links() const = 0;

protected:
  LinkNetwork(const Interconnect &interconnect, int64_t processors)
      : processors(processors),
        common{interconnect.bytesPerCycle, interconnect.latencyCycles} {}

  Rate rateOf(std::optional<int64_t> bytesPerCycle,
              std::optional<int64_t> latencyCycles) const {
    return {bytesPerCycle.value_or(common.bytesPerCycle),
            latencyCycles.value_or(common.latencyCycles)};
  }

  /// The next hop of the route from a node to a processor; they differ.
  virtual Hop next(int64_t node, int64_t to) const = 0;
  virtual int64_t nodeCount() const { return processors; }
  /// The links that leave a node, in the order of their numbers.
  virtual llvm::SmallVector<Hop, 8> neighbours(int64_t node) const = 0;
  /// The node that a link leaves.
  virtual int64_t source(int64_t link) const = 0;
  /// Rate of a link that is not listed.
  virtual Rate ordinaryRate(int64_t) const { return common; }
  /// Takes the listed links: unless they make the topology, they override.
  virtual llvm::Error addLinks(llvm::ArrayRef<Link> listed);

  llvm::Error checkNodes(const Link &link) const;
  std::string nodeName(int64_t node) const;

  int64_t processors;
  Rate common;
  std::map<int64_t, Rate> listedRates; ///< by link

private:
  llvm::Error setRate(int64_t from, int64_t to, const Link &link);
  void summarize();

  bool isUnlimited = false, isFree = false;
};

/// Links between all processors, some listed with a rate of their own.
std::shared_ptr<LinkNetwork> makeFullNetwork(const Interconnect &interconnect,
                                             int64_t processors);
/// Ring, mesh and torus.
std::shared_ptr<LinkNetwork> makeGrid(const Interconnect &interconnect,
                                      int64_t processors);
std::shared_ptr<LinkNetwork> makeTree(const Interconnect &interconnect,
                                      int64_t processors);
/// The listed links.
std::shared_ptr<LinkNetwork> makeCustomNetwork(const Interconnect &interconnect,
                                               int64_t processors);

} // namespace takt

#endif // TAKT_LIB_MACHINE_LINKNETWORK_H
