using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

// Authors who fork (docs/protocol/statements.md §4.11).
public sealed partial class DocumentAuthor
{
    /// <summary>States what the document shows of authors who signed two envelopes with one number, unless it is stated already. Of this device it states nothing.</summary>
    public void StateEquivocations()
    {
        if (!document.Policy.IsNamed(Self) || document.Policy.Frozen(Self) is not null) return;
        foreach (var (first, second) in document.Equivocations)
            if (IsNews(first.Header)) Sign(ForkProof.Of(first, second));
    }

    /// <summary>
    /// Says which branch of a frozen author survives: every grant that the author holds ends with that branch, and is given again. The author's statements
    /// from the fork on stay without effect.
    /// </summary>
    /// <param name="author">The frozen author.</param>
    /// <param name="surviving">The last envelope that counts, on the branch that survives.</param>
    /// <returns>The new grants.</returns>
    /// <exception cref="TlfsException"><see cref="Reason.NotAuthorised"/> unless this device owns the document; <see cref="Reason.NothingToDo"/> if there is nothing to settle.</exception>
    public IReadOnlyList<GrantId> Settle(PeerId author, EnvelopeId surviving)
    {
        if (document.Policy.Standing(Self, Permission.Own) is not { } own) throw new TlfsException(Reason.NotAuthorised, "only an owner of the document says which branch survives");
        if (document.Policy.Frozen(author) is not { } frozen) throw new TlfsException(Reason.NothingToDo, "nobody has shown two envelopes of that author with one number");
        if (document.Find(surviving)?.Header is not { } header || header.Author != author || header.Seq < frozen)
            throw new TlfsException(Reason.NothingToDo, "the envelope is not one of those among which to choose");
        var grants = document.Policy.Grants.Where(grant => grant.Holds && grant.Actor.Peer == author).ToArray();
        if (grants.Length == 0) throw new TlfsException(Reason.NothingToDo, "that author holds no grant any more");
        Cut[] cuts = [new(author, header.Seq, surviving)];
        foreach (var grant in grants) State([new Revoke(grant.Id, own, cuts)], Reason.NotAuthorised);
        return [.. grants.Select(grant => State([Again(grant, own)], Reason.NotAuthorised).Grant)];
    }

    // Not everybody holds this branch, so that what names it would have to wait there.
    private bool IsDisputed(EnvelopeHeader header) =>
        document.Chains.Beside(header.Author) is [var (fork, _), ..] && fork <= header.Seq && document.Policy.Survivor(header.Author) is null;

    private static Grant Again(GrantStatus grant, GrantId own) =>
        new(grant.Actor, grant.Permission, grant.Zone, own) { Sub = grant.Sub, FromNow = grant.FromNow };

    private bool IsNews(EnvelopeHeader fork)
    {
        if (document.Policy.IsProven(fork.Author, fork.Seq) || (fork.Author == document.Id.Authority && fork.Seq == 1)) return false;
        return document.Policy.Frozen(fork.Author) is not { } frozen || fork.Seq < frozen || fork.Seq > document.Policy.Survivor(fork.Author)?.Seq;
    }
}
