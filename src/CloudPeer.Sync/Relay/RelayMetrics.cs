using System.Diagnostics;
using System.Diagnostics.Metrics;
using CloudPeer.Sync.Log;
using Tlfs.Core;

namespace CloudPeer.Sync.Relay;

/// <summary>
/// What a relay measures of itself (docs/operations/metrics.md), and the spans of pushes and commits. Nothing of it names a tenant, a device or a document.
/// Costs next to nothing while nobody listens.
/// </summary>
public sealed class RelayMetrics
{
    /// <summary>Of the meter and of the source of spans.</summary>
    public const string Name = "CloudPeer";

    private static readonly ActivitySource Spans = new(Name);
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    private static readonly InstrumentAdvice<long> Envelopes = new() { HistogramBucketBoundaries = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384] };

    private readonly Counter<long> _bundles;
    private readonly Histogram<double> _pushDuration;
    private readonly Histogram<double> _commitDuration;
    private readonly Histogram<long> _commitEnvelopes;
    private readonly Counter<long> _stored;
    private readonly Histogram<long> _behind;

    /// <summary>Makes the instruments.</summary>
    /// <param name="meter">The meter; not owned.</param>
    public RelayMetrics(Meter meter)
    {
        _bundles = meter.CreateCounter<long>("cloudpeer.push.bundles", "{bundle}", "Bundles that were answered, by outcome: stored, or the reason of the refusal.");
        _pushDuration = meter.CreateHistogram("cloudpeer.push.duration", "s", "From a push's arrival at the relay to its answer.", advice: Seconds);
        _commitDuration = meter.CreateHistogram("cloudpeer.commit.duration", "s", "A group commit: locks, decisions, signature and write.", advice: Seconds);
        _commitEnvelopes = meter.CreateHistogram("cloudpeer.commit.envelopes", "{envelope}", "Envelopes that were decided in one group commit.", advice: Envelopes);
        _stored = meter.CreateCounter<long>("cloudpeer.stored", "By", "Bytes of envelopes that were stored, by the state of the tenant that hosts them.");
        _behind = meter.CreateHistogram(
            "cloudpeer.subscription.behind", "{envelope}", "Envelopes of the log that a subscription had not been sent when its next page was read.", advice: Envelopes);
    }

    /// <summary>Of a relay that nobody measures.</summary>
    internal static RelayMetrics None { get; } = new(new Meter("CloudPeer.None"));

    /// <summary>A push has arrived; null while nobody listens.</summary>
    internal MeasuredPush? BeginPush() => _bundles.Enabled || _pushDuration.Enabled || Spans.HasListeners() ? new(this, Spans.StartActivity("push"), Stopwatch.GetTimestamp()) : null;

    /// <summary>A commit begins, for pushes that have spans of their own.</summary>
    internal static Activity? BeginCommit(IReadOnlyList<PendingBundle> batch) => Spans.HasListeners()
        ? Spans.StartActivity(ActivityKind.Internal, name: "commit", parentContext: default, links: [.. batch.Select(bundle => bundle.Span).OfType<ActivityContext>().Distinct().Select(span => new ActivityLink(span))])
        : null;

    internal void Committed(IReadOnlyList<PendingBundle> batch, long began)
    {
        _commitDuration.Record(Stopwatch.GetElapsedTime(began).TotalSeconds);
        if (_commitEnvelopes.Enabled) _commitEnvelopes.Record(batch.Sum(bundle => (long)bundle.Envelopes.Count));
    }

    /// <summary>Envelopes were stored: the state of the tenant that hosts each, and its bytes. Not read while nobody listens.</summary>
    internal void Stored(IEnumerable<(TenantState Host, int Bytes)> envelopes)
    {
        if (!_stored.Enabled) return;
        foreach (var (host, bytes) in envelopes) _stored.Add(bytes, new KeyValuePair<string, object?>("state", host.ToText()));
    }

    /// <summary>A subscription reads its next page.</summary>
    internal void Behind(ulong envelopes) => _behind.Record((long)envelopes);

    private void Answered(IReadOnlyList<Outcome<IReadOnlyList<Receipt>>> outcomes, long began)
    {
        _pushDuration.Record(Stopwatch.GetElapsedTime(began).TotalSeconds);
        foreach (var outcome in outcomes) _bundles.Add(1, new KeyValuePair<string, object?>("outcome", outcome.Refusal?.Reason.ToKebab() ?? "stored"));
    }

    /// <summary>A push on its way.</summary>
    internal sealed class MeasuredPush(RelayMetrics metrics, Activity? span, long began)
    {
        /// <summary>Waits for the answer and takes note of it.</summary>
        public async Task<IReadOnlyList<Outcome<IReadOnlyList<Receipt>>>> EndAsync(Task<IReadOnlyList<Outcome<IReadOnlyList<Receipt>>>> answer)
        {
            using (span)
            {
                var outcomes = await answer.ConfigureAwait(false);
                metrics.Answered(outcomes, began);
                return outcomes;
            }
        }

        /// <summary>There is no answer.</summary>
        public void Fail() => span?.Dispose();
    }
}
