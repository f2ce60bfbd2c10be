using Tlfs.Core;

namespace CloudPeer.Sync.Relay;

/// <summary>Counts what it takes to evaluate statements for one push, in calls of its device.</summary>
/// <param name="stepsPerCall">Steps (<see cref="Tlfs.Core.Policy.PolicyView.Steps"/>) for one call.</param>
/// <param name="pay">Takes calls of the device; false if it has none left.</param>
internal sealed class EvaluationMeter(int stepsPerCall, Func<long, bool> pay)
{
    private long _paid;

    /// <summary>Steps so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Counts steps that were taken; the refusal if the device has no calls left for them.</summary>
    public Refusal? Count(int steps)
    {
        Steps += steps;
        var calls = (Steps / stepsPerCall) - _paid;
        _paid += calls;
        return calls == 0 || pay(calls) ? null : new(Reason.RateLimited, "The device has no calls left for the statements that it makes the server evaluate.") { RetryAfter = TimeSpan.FromSeconds(1) };
    }
}
