using Tlfs.Core.Policy;

namespace CloudPeer.Sync.Relay;

/// <summary>
/// Evaluates the statements of a push before its commit. One statement may turn the answers of all others, and a commit that finds that out makes everybody
/// wait; so it takes over what was found here, as long as the statement comes to the policy that it was evaluated for.
/// </summary>
internal static class StatementsAhead
{
    /// <summary>Evaluates in the order of the bundles: the first statement whatever it takes, and others while there are steps left for the push.</summary>
    /// <param name="bundles">Verified bundles of one push.</param>
    /// <param name="policy">The policy of their document now.</param>
    /// <param name="most">How many steps a push has.</param>
    /// <param name="meter">Counts them.</param>
    /// <returns>False if the device has no calls left.</returns>
    public static bool TryEvaluate(IReadOnlyList<PendingBundle> bundles, DocumentPolicy policy, int most, StepMeter meter)
    {
        foreach (var envelope in bundles.SelectMany(bundle => bundle.Envelopes))
        {
            if (meter.Steps > most) return true;
            if (envelope.Statement is not { } body || policy.Contains(envelope.Envelope.Id)) continue;
            var statement = DocumentPolicy.StatementOf(envelope.Envelope, body);
            if (!CanBeTaken(statement, policy)) continue;
            var after = policy.With(statement);
            envelope.Ahead = (policy, after);
            policy = after;
            if (!meter.TryCount(after.Steps)) return false;
        }

        return true;
    }

    // False only for what the commit will refuse.
    private static bool CanBeTaken(PolicyStatement statement, DocumentPolicy policy) =>
        statement.Auth.All(policy.Contains) && policy.View.IsNamed(statement.Author)
        && policy.View.Judge(statement, (_, _) => null).Verdict is Verdict.Counts or Verdict.PolicyMoved or Verdict.Frozen;
}
