using Tlfs.Core.Policy;

namespace CloudPeer.Sync.Relay;

/// <summary>Adds statements inside a group commit, which everybody waits for: what was evaluated before it costs nothing, and for the rest there are so many steps.</summary>
/// <param name="steps">The steps.</param>
internal sealed class EvaluationBudget(long steps)
{
    private long _left = steps;

    /// <summary>The policy with one more statement; null if that might take more steps than are left.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="statement">The statement.</param>
    /// <param name="ahead">What was found out before the commit, perhaps for another policy.</param>
    public DocumentPolicy? TryAdd(DocumentPolicy policy, PolicyStatement statement, (DocumentPolicy Before, DocumentPolicy After)? ahead)
    {
        if (ahead is { } known && known.Before == policy) return known.After;
        if (policy.MostSteps > _left) return null;
        var next = policy.With(statement);
        _left -= next.Steps;
        return next;
    }
}
