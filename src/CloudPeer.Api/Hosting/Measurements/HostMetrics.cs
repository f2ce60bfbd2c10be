using System.Diagnostics.Metrics;
using CloudPeer.Api.Relay;

namespace CloudPeer.Api.Hosting.Measurements;

/// <summary>What the server measures beside the relay (docs/operations/metrics.md).</summary>
internal sealed class HostMetrics
{
    private static readonly InstrumentAdvice<int> Messages = new() { HistogramBucketBoundaries = [0, 1, 2, 5, 10, 20, 50, 100, 200] };
    private readonly Histogram<int> _inboxDepth;

    public HostMetrics(Meter meter, StreamCounter streams)
    {
        meter.CreateObservableUpDownCounter("cloudpeer.streams", () => streams.Count, "{stream}", "Streams, and pulls that follow a log, that are open at this process.");
        _inboxDepth = meter.CreateHistogram(
            "cloudpeer.inbox.depth", "{message}", "Messages of the same kind of senders that waited for an account when one more came.", advice: Messages);
    }

    /// <summary>A message comes to an inbox.</summary>
    public void Sent(int waiting, bool isContact) => _inboxDepth.Record(waiting, new KeyValuePair<string, object?>("sender", isContact ? "contact" : "stranger"));
}
