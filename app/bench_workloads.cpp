#include "app/bench_workloads.h"

namespace app {
namespace {

constexpr const char* kTools = R"(You are an agent. You answer with one call of a tool and nothing else, as JSON:
{"name": "TOOL", "arguments": {...}}
Tools:
- update_records: {"table": string, "records": [{"id": integer, "name": string, "email": string, "status": string}]}
- write_file: {"path": string, "content": string}
- create_events: {"events": [{"title": string, "start": string, "end": string, "room": string, "attendees": [string]}]})";

constexpr const char* kRecords = R"(The table `customers` holds:
[{"id": 4101, "name": "Ada Bergstrom", "email": "ada.bergstrom@example.com", "status": "new"},
 {"id": 4102, "name": "Milan Okafor", "email": "milan.okafor@example.com", "status": "new"},
 {"id": 4103, "name": "Ines Caldeira", "email": "ines.caldeira@example.com", "status": "new"},
 {"id": 4104, "name": "Tomasz Nowicki", "email": "tomasz.nowicki@example.com", "status": "new"},
 {"id": 4105, "name": "Yuki Tanabe", "email": "yuki.tanabe@example.com", "status": "new"},
 {"id": 4106, "name": "Farid Haddad", "email": "farid.haddad@example.com", "status": "new"}]
Call update_records for the table customers with all six records, each with the status "active".)";

constexpr const char* kConfiguration = R"(The file config/server.json is:
{"host": "0.0.0.0", "port": 8080, "workers": 4, "database": {"host": "db.internal.example.com", "port": 5432, "name": "inventory", "user": "inventory_app", "pool_size": 10},
 "cache": {"host": "cache.internal.example.com", "port": 6379, "ttl_seconds": 300}, "logging": {"level": "info", "file": "/var/log/inventory/server.log", "rotate": true}}
Call write_file for config/server.json with the whole file, the port of the server changed to 9090 and the level of logging to "debug".)";

constexpr const char* kCalendar = R"(These events were found:
[{"title": "Quarterly budget review", "start": "2025-03-03T09:00:00", "end": "2025-03-03T10:00:00", "room": "Linden", "attendees": ["ada@example.com", "milan@example.com"]},
 {"title": "Design of the new warehouse", "start": "2025-03-03T11:00:00", "end": "2025-03-03T12:30:00", "room": "Birch", "attendees": ["ines@example.com", "tomasz@example.com", "yuki@example.com"]},
 {"title": "Interview with the supplier", "start": "2025-03-04T14:00:00", "end": "2025-03-04T15:00:00", "room": "Linden", "attendees": ["farid@example.com", "ada@example.com"]}]
Call create_events with the same three events, all of them in the room "Maple".)";

constexpr const char* kInventory = R"(Rewrite this file with the class `Inventory` renamed to `Warehouse` and everything else as it is. Answer with the whole file in one block of code.
```python
import json
from dataclasses import dataclass, field


@dataclass
class Item:
    name: str
    quantity: int
    price: float

    def total(self) -> float:
        return self.quantity * self.price


@dataclass
class Inventory:
    items: dict[str, Item] = field(default_factory=dict)

    def add(self, name: str, quantity: int, price: float) -> None:
        if name in self.items:
            self.items[name].quantity += quantity
        else:
            self.items[name] = Item(name, quantity, price)

    def remove(self, name: str, quantity: int) -> None:
        if name not in self.items:
            raise KeyError(f"no item called {name}")
        item = self.items[name]
        if item.quantity < quantity:
            raise ValueError(f"only {item.quantity} of {name} are left")
        item.quantity -= quantity
        if item.quantity == 0:
            del self.items[name]

    def total(self) -> float:
        return sum(item.total() for item in self.items.values())

    def save(self, path: str) -> None:
        with open(path, "w") as file:
            json.dump({name: vars(item) for name, item in self.items.items()}, file)


def load(path: str) -> Inventory:
    inventory = Inventory()
    with open(path) as file:
        for name, values in json.load(file).items():
            inventory.items[name] = Item(**values)
    return inventory
```)";

constexpr const char* kQueue = R"(Add a method `int size() const` to this class that returns how many items wait, and leave everything else as it is. Answer with the whole file in one block of code.
```cpp
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

template <class T>
class BlockingQueue {
public:
    explicit BlockingQueue(std::size_t most) : most_(most) {}

    bool push(T item) {
        std::unique_lock lock(mutex_);
        not_full_.wait(lock, [&] { return closed_ || items_.size() < most_; });
        if (closed_) return false;
        items_.push_back(std::move(item));
        not_empty_.notify_one();
        return true;
    }

    std::optional<T> pop() {
        std::unique_lock lock(mutex_);
        not_empty_.wait(lock, [&] { return closed_ || !items_.empty(); });
        if (items_.empty()) return std::nullopt;
        T item = std::move(items_.front());
        items_.pop_front();
        not_full_.notify_one();
        return item;
    }

    void close() {
        std::lock_guard lock(mutex_);
        closed_ = true;
        not_empty_.notify_all();
        not_full_.notify_all();
    }

private:
    const std::size_t most_;
    std::mutex mutex_;
    std::condition_variable not_empty_, not_full_;
    std::deque<T> items_;
    bool closed_ = false;
};
```)";

constexpr const char* kHandler = R"(In this file the time-out is 5 seconds; make it 30 seconds, and leave everything else as it is. Answer with the whole file in one block of code.
```javascript
const TIMEOUT_MS = 5000;

async function fetchWithTimeout(url, options = {}) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(url, { ...options, signal: controller.signal });
    if (!response.ok) {
      throw new Error(`request to ${url} failed with status ${response.status}`);
    }
    return await response.json();
  } finally {
    clearTimeout(timer);
  }
}

async function loadOrders(customer) {
  const orders = await fetchWithTimeout(`/api/customers/${customer}/orders`);
  return orders.map((order) => ({
    id: order.id,
    placed: new Date(order.placed),
    total: order.lines.reduce((sum, line) => sum + line.quantity * line.price, 0),
  }));
}

async function loadCustomers() {
  const customers = await fetchWithTimeout("/api/customers");
  return Promise.all(
    customers.map(async (customer) => ({
      ...customer,
      orders: await loadOrders(customer.id),
    }))
  );
}

module.exports = { fetchWithTimeout, loadOrders, loadCustomers };
```)";

}  // namespace

std::vector<Workload> speculation_workloads() {
    return {{"prose", {}, {"Tell a short story of a lighthouse keeper who finds a letter in a bottle.", "Explain to a curious child why the sky is blue by day and red in the evening.", "Describe a market in a small town by the sea on a Saturday morning."}},
            {"tool-call", {kTools}, {kRecords, kConfiguration, kCalendar}},
            {"code-edit", {}, {kInventory, kQueue, kHandler}}};
}

}  // namespace app
