using CloudPeer.Sync.Log;
using Tlfs.Core;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Radix;

namespace CloudPeer.Sync.Relay;

/// <summary>One message of a reconciliation (sync.md §7). All of the session that the server needs is in it.</summary>
/// <param name="Size">Envelopes of the log to compare with; 0 at first, for all of them.</param>
/// <param name="Hello">The hello of the attempt (reconcile.md §2.1).</param>
/// <param name="Ask">What is asked (§2.3); empty at first.</param>
public readonly record struct ReconcileQuestion(ulong Size, ReadOnlyMemory<byte> Hello, ReadOnlyMemory<byte> Ask);

/// <summary>The answer to one message of a reconciliation.</summary>
/// <param name="Size">Envelopes of the log that were compared.</param>
/// <param name="Message">The answer (reconcile.md §2.2, §2.4).</param>
public sealed record ReconcileAnswer(ulong Size, ReadOnlyMemory<byte> Message);

// What servers are checked by, and moved between by.
public sealed partial class DocumentRelay
{
    private readonly LogIdSets _sets;
    private readonly LogProofs _proofs;

    /// <summary>The signed head of a log, and the proof that it begins with what it was at an earlier size (log.md §3.4).</summary>
    /// <param name="reader">Whose session it is.</param>
    /// <param name="document">The document.</param>
    /// <param name="fromSize">The earlier size; 0 for no proof.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<Costed<ProvenHead>> HeadAsync(PeerId reader, DocId document, ulong fromSize, CancellationToken cancellationToken) =>
        ForServedAsync<ProvenHead>(reader, document, async current =>
        {
            var proof = await _proofs.ProveAsync(current.State, fromSize, cancellationToken).ConfigureAwait(false);
            return new(
                proof.Outcome.Succeeded
                    ? Outcome.Of(new ProvenHead(current.Head(_server, _time), proof.Outcome.Value))
                    : Outcome.Refused<ProvenHead>(proof.Outcome.Refusal),
                proof.Steps);
        }, cancellationToken);

    /// <summary>Answers one message of somebody who finds out which envelopes only one of both sides holds. Everybody served gets all headers, so it is about all of them.</summary>
    public Task<Costed<ReconcileAnswer>> ReconcileAsync(PeerId reader, DocId document, ReconcileQuestion question, CancellationToken cancellationToken) =>
        ForServedAsync<ReconcileAnswer>(reader, document, async current =>
        {
            var size = question.Size == 0 ? current.State.Size : question.Size;
            var set = await _sets.FindAsync(current.State, size, cancellationToken).ConfigureAwait(false);
            return new(set.Outcome.Succeeded ? Answer(set.Outcome.Value, size, question) : Outcome.Refused<ReconcileAnswer>(set.Outcome.Refusal), set.Steps);
        }, cancellationToken);

    private static Outcome<ReconcileAnswer> Answer(RadixTree ids, ulong size, ReconcileQuestion question)
    {
        var responder = new ReconcileResponder(ids, default);
        DecodeError error;
        byte[] answer = [];
        var answered = question.Ask.IsEmpty
            ? responder.TryAnswer(question.Hello, out answer, out error)
            : responder.TryResume(question.Hello, out error) && responder.TryAnswer(question.Ask, out answer, out error);
        return answered
            ? Outcome.Of(new ReconcileAnswer(size, answer))
            : Outcome.Refused<ReconcileAnswer>(new(error.Reason, $"The message of a reconciliation is refused: {error.Detail}."));
    }

    // Asked of the store, since these are about what it has now.
    private async Task<Costed<T>> ForServedAsync<T>(
        PeerId reader, DocId document, Func<CachedDocument, Task<Costed<T>>> answer, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            var current = await _cache.LoadAsync(document, cancellationToken).ConfigureAwait(false);
            return current is not null && await IsServedAsync(current, reader, cancellationToken).ConfigureAwait(false)
                ? await answer(current).ConfigureAwait(false)
                : new(Outcome.Refused<T>(Refusal.NotFound), 0);
        }
        catch (TlfsException e) when (e.IsTransient)
        {
            return new(Outcome.Refused<T>(Fault(e)), 0);
        }
    }
}
