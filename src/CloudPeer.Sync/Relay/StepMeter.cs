namespace CloudPeer.Sync.Relay;

/// <summary>Counts the steps of work for one push, and has its device pay for them in calls.</summary>
/// <param name="stepsPerCall">Steps for one call.</param>
/// <param name="pay">Takes calls of the device; false if it has none left.</param>
internal sealed class StepMeter(int stepsPerCall, Func<long, bool> pay)
{
    /// <summary>Steps so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Counts steps; false if the device has no calls left for them.</summary>
    public bool TryCount(long steps)
    {
        var before = Steps / stepsPerCall;
        Steps += steps;
        var calls = (Steps / stepsPerCall) - before;
        return calls == 0 || pay(calls);
    }
}
