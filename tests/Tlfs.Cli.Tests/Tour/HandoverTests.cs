using Tlfs.Cli.Tests.Support;
using Tlfs.Client.Storage;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Cli.Tests.Tour;

/// <summary>No server is needed to keep somebody out: what was written after a revocation counts for nothing, whichever way it comes.</summary>
public sealed class HandoverTests(SharedServer shared)
{
    [Fact]
    public async Task WhatWasWrittenAfterARevocation_IsVoid_EvenWhenHandedOverDirectly()
    {
        using var pair = await Pair.ShareAsync(await shared.GetAsync());
        (await pair.Bob.EditAsync(pair.Document, """{"op":"set","path":".tasks[0].title","value":"in time"}""")).Done();
        await pair.SyncAsync();
        (await pair.Anna.RunAsync("revoke", pair.Document, pair.Grant)).Done();
        (await pair.Bob.EditAsync(pair.Document, """{"op":"set","path":".title","value":"too late"}""")).Done();

        Assert.True(Id.TryParse<DocId>(pair.Document, out var document));
        using (var annas = SqliteReplicaStore.Open(pair.Anna.Home))
        using (var bobs = SqliteReplicaStore.Open(pair.Bob.Home))
        {
            var held = Envelopes(annas, document);
            var late = Assert.Single(Envelopes(bobs, document).ExceptBy(held.Select(envelope => envelope.Id), envelope => envelope.Id));
            AssertVoid(document, held, late);

            // The same in Anna's own replica: the envelope is put where those that a server sent are put.
            annas.Write(writer => writer.Append(document, [late]));
        }

        var log = (await pair.Anna.JsonAsync("doc", "log", pair.Document)).Done().JsonLines;
        Assert.Equal("void", log[^1].GetProperty("status").GetString());
        Assert.Equal("not-authorised", log[^1].GetProperty("reason").GetString());
        Assert.Equal("\"list\"\n", await pair.Anna.ShowAsync(pair.Document, ".title"));
        Assert.Equal("\"in time\"\n", await pair.Anna.ShowAsync(pair.Document, ".tasks[0].title"));
        Assert.Equal("[[\"list\"]]", $"[{(await pair.Anna.RunAsync("doc", "show", pair.Document, ".title", "--all-values")).Line}]");
    }

    private static void AssertVoid(DocId document, IReadOnlyList<Envelope> held, Envelope late)
    {
        using var phrase = RecoveryPhrase.Generate(SystemEntropy.Instance);
        using var somebody = AccountKeys.Create(SystemEntropy.Instance, phrase);
        using var copy = new Document(document, somebody);
        Assert.All(copy.Receive(held), outcome => Assert.NotEqual(EnvelopeStatus.Void, outcome.Status));
        var outcome = copy.Receive(late);
        Assert.Equal((EnvelopeStatus.Void, Reason.NotAuthorised), (outcome.Status, outcome.Reason));
    }

    private static IReadOnlyList<Envelope> Envelopes(SqliteReplicaStore store, DocId document) =>
        [.. store.Envelopes(document, 0).Select(stored => Envelope.TryDecode(stored.Bytes, out var envelope, out var error) ? envelope : throw new InvalidOperationException(error.Detail))];
}
