#pragma once

class Gauge {
public:
    explicit Gauge(int station) : station_(station) {}
    double read_level() const;

private:
    int station_;
};
