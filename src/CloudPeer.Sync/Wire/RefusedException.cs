using CloudPeer.Sync.Relay;
using Tlfs.Core;

namespace CloudPeer.Sync.Wire;

/// <summary>Ends a call with a <see cref="Relay.Refusal"/>, which says more than a <see cref="TlfsException"/>.</summary>
public sealed class RefusedException(Refusal refusal) : Exception(refusal.Message)
{
    /// <summary>What the caller is told.</summary>
    public Refusal Refusal { get; } = refusal;
}
