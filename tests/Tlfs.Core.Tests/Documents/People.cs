using CloudPeer.TestKit;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Tlfs.Core.Policy;
using Tlfs.Core.Schema;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Documents;

/// <summary>Accounts that many tests share: making one takes a third of a second, because the recovery phrase is stretched.</summary>
internal static class People
{
    private static readonly Lazy<AccountKeys>[] All = [.. Enumerable.Range(0, 4).Select(i => new Lazy<AccountKeys>(() => Make((ulong)i)))];

    public static AccountKeys Ann => All[0].Value;

    public static AccountKeys Bob => All[1].Value;

    public static AccountKeys Cid => All[2].Value;

    public static AccountKeys Dan => All[3].Value;

    public static AccountKeys At(int index) => All[index].Value;

    private static AccountKeys Make(ulong seed)
    {
        var entropy = new SeededEntropy(1_000 + seed);
        using var phrase = RecoveryPhrase.Generate(entropy);
        return AccountKeys.Create(entropy, phrase);
    }
}

/// <summary>One person's copy of a document, without storage: what it makes is handed to others by the test.</summary>
internal sealed class Copy : IDisposable
{
    private readonly SeededEntropy _entropy;

    public Copy(AccountKeys own, DocId id, ulong seed)
    {
        _entropy = new(seed);
        Document = new(id, own);
    }

    public Document Document { get; }

    public AccountKeys Own => Document.Own;

    public IEnumerable<Envelope> All => Document.Log.Select(held => held.Envelope);

    public static Copy Begin(AccountKeys own, ulong seed, LensList? schema = null)
    {
        using var authority = Core.Crypto.SigningKey.Generate(new SeededEntropy(seed ^ 0xA0));
        var copy = new Copy(own, new(authority.Public.Value), seed);
        copy.Make(author => author.Begin(authority, new(new SchemaVersion(0, 1, 0), schema ?? Schemas.Tour)));
        return copy;
    }

    public IReadOnlyList<Envelope> Make(Action<DocumentAuthor> make)
    {
        var author = new DocumentAuthor(Document, _entropy);
        make(author);
        return author.Bundle;
    }

    public Envelope Edit(Action<Core.Crdt.Transaction> edit) => Make(author => author.Edit(edit))[^1];

    public Envelope Set(string path, string json) => Edit(transaction => transaction.Set(path, Core.Crdt.Json.Parse(json)));

    public GrantId Grant(AccountKeys to, Permission permission, string path = ".", bool fromNow = false)
    {
        GrantId id = default;
        Make(author => id = Assert.Single(author.Grant(to.Card.Actor, permission, path, fromNow)));
        return id;
    }

    public Copy Share(AccountKeys with, ulong seed)
    {
        var other = new Copy(with, Document.Id, seed);
        other.Receive(All);
        return other;
    }

    public IReadOnlyList<Outcome> Receive(IEnumerable<Envelope> envelopes) => Document.Receive(envelopes.Select(Again).ToArray());

    public IReadOnlyList<Outcome> Receive(Copy other) => Receive(other.All.Where(envelope => Document.Find(envelope.Id) is null));

    public Outcome OutcomeOf(Envelope envelope) => Document.Find(envelope.Id)!.Outcome;

    public void Dispose() => Document.Dispose();

    // What arrives over a wire is decoded anew.
    public static Envelope Again(Envelope envelope) =>
        Envelope.TryDecode(envelope.Bytes.ToArray(), envelope.Present, out var decoded, out var error) ? decoded : throw new InvalidOperationException(error.Detail);
}
