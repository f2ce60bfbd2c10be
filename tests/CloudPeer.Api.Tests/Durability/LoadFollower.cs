using CloudPeer.Sync.Client;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Durability;

/// <summary>A device that follows a document as the protocol asks for: over a stream, and when that ends over another one, from the first index that it does not hold.</summary>
internal sealed class LoadFollower(SigningKey key, DocId document)
{
    private readonly List<EnvelopeId> _held = [];
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What it was sent, in the order in which it came. Not to be read while it runs.</summary>
    public IReadOnlyList<EnvelopeId> Held => _held;

    /// <summary>Completes when it has caught up for the first time.</summary>
    public Task Begun => _begun.Task;

    /// <summary>Follows at one node until the log has a size or the node fails, and says why it failed.</summary>
    /// <param name="grpcUrl">The node.</param>
    /// <param name="server">Its server.</param>
    /// <param name="size">The size.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Null when it is done.</returns>
    public async Task<Reason?> RunAsync(string grpcUrl, PeerId server, int size, CancellationToken cancellationToken)
    {
        await using var connection = new CloudpeerConnection(grpcUrl, server, key, SystemEntropy.Instance, TimeProvider.System);
        try
        {
            await using var stream = await connection.StreamAsync(cancellationToken);
            await stream.SubscribeAsync(document, (ulong)_held.Count, omitOwn: false, cancellationToken);
            await foreach (var next in stream.Events.WithCancellation(cancellationToken))
            {
                Assert.Null(next.Refusal);
                Assert.Equal((ulong)_held.Count, next.Page!.FirstIndex);
                _held.AddRange(next.Page.Entries.Select(entry => entry.Id));
                if (next.Page.Head is not { } head) continue;
                _begun.TrySetResult();
                if (head.Size >= (ulong)size) return null;
            }

            throw new InvalidOperationException("the events ended without a reason");
        }
        catch (TlfsException failure) when (failure.Reason is Reason.Unreachable or Reason.Unavailable)
        {
            return failure.Reason;
        }
    }
}
