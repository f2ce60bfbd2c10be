using System.Threading.Channels;
using Tlfs.Client;
using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>A watched document tells what happens to it.</summary>
public sealed class DocumentWatchTests
{
    // Only so that a lost wake-up fails instead of hanging.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_and_values_that_come_change_move_and_go_are_told_with_their_author()
    {
        await using var person = await Person.CreateAsync();
        var document = await person.Replica.CreateAsync("todoapp", Cancel);
        var seen = new Seen();
        await using var watch = document.Watch(".", seen.Add);
        await document.EditAsync(d => d["tasks"].Insert(0, new { title = "milk" }), Cancel);
        var insert = await seen.NextAsync();
        await document.EditAsync(d => d["tasks"].Insert(1, new { title = "eggs" }), Cancel);
        await seen.NextAsync();
        await document.EditAsync((Transaction edit) => edit.Set(".tasks[0].title", Json.Parse("\"oat milk\"")), Cancel);
        var update = await seen.NextAsync();
        await document.EditAsync((Transaction edit) => edit.Move(".tasks", 0, 1), Cancel);
        var move = await seen.NextAsync();
        await document.EditAsync((Transaction edit) => edit.Remove(".tasks[0]"), Cancel);
        var remove = await seen.NextAsync();
        var me = person.Replica.Peer;
        Assert.Equal(new(ChangeKind.Insert, ".tasks[0]", """{"complete":false,"title":"milk"}""", null, me, null), insert);
        Assert.Equal(new(ChangeKind.Update, ".tasks[0].title", "\"oat milk\"", null, me, null), update);
        Assert.Equal((ChangeKind.Move, me), (move.Kind, move.Author));
        Assert.NotNull(move.From);
        Assert.Equal(new(ChangeKind.Remove, ".tasks[0]", """{"complete":false,"title":"eggs"}""", null, me, null), remove);
    }

    [Fact]
    public async Task Grants_and_their_end_are_told_to_who_watches_the_whole_document()
    {
        await using var person = await Person.CreateAsync();
        await using var other = await Person.CreateAsync();
        var document = await person.Replica.CreateAsync("todoapp", Cancel);
        var seen = new Seen();
        await using var watch = document.Watch(".", seen.Add);
        var grant = await document.GrantAsync(other.Replica.Card, Permission.Read, Cancel);
        var given = await seen.NextAsync();
        Assert.Equal((ChangeKind.Grant, ".", person.Replica.Peer, grant), (given.Kind, given.Path, given.Author, given.Grant?.Id));
        await document.RevokeAsync(grant, Cancel);
        var ended = await seen.NextAsync();
        Assert.Equal((ChangeKind.Revoke, ".", person.Replica.Peer, grant), (ended.Kind, ended.Path, ended.Author, ended.Grant?.Id));
    }

    [Fact]
    public async Task A_watched_element_is_followed_when_it_moves_and_nothing_else_is_told()
    {
        await using var person = await Person.CreateAsync();
        var document = await person.Replica.CreateAsync("todoapp", Cancel);
        await document.EditAsync((Transaction edit) => edit.Set(".tasks", Json.Parse("""[{"title":"a"},{"title":"b"},{"title":"c"}]""")), Cancel);
        var seen = new Seen();
        await using var watch = document.Watch(".tasks[2]", seen.Add);
        await document.EditAsync((Transaction edit) => edit.Move(".tasks", 2, 0), Cancel);
        var move = await seen.NextAsync();
        Assert.Equal((ChangeKind.Move, ".tasks[0]", ".tasks[2]"), (move.Kind, move.Path, move.From));
        await document.EditAsync((Transaction edit) => edit.Set(".tasks[2].title", Json.Parse("\"another\"")), Cancel);
        await document.EditAsync((Transaction edit) => edit.Set(".tasks[0].title", Json.Parse("\"watched\"")), Cancel);
        var update = await seen.NextAsync();
        Assert.Equal((ChangeKind.Update, ".tasks[0].title", "\"watched\""), (update.Kind, update.Path, update.Value));
    }

    [Fact]
    public async Task What_a_second_process_on_the_same_home_edits_is_told()
    {
        await using var person = await Person.CreateAsync();
        var document = await person.Replica.CreateAsync("todoapp", Cancel);
        await using var second = await LocalFirst.OpenAsync(person.Options, Cancel);
        var seen = new Seen();
        await using var watch = document.Watch(".title", seen.Add);
        await (await second.OpenDocumentAsync(document.Id, Cancel)).EditAsync(d => d["title"].Set("from there"), Cancel);
        Assert.Equal("\"from there\"", (await seen.NextAsync()).Value);
    }

    [Fact]
    public async Task A_handler_that_throws_ends_the_watch_and_the_watch_says_why()
    {
        await using var person = await Person.CreateAsync();
        var document = await person.Replica.CreateAsync("todoapp", Cancel);
        var calls = 0;
        await using var watch = document.Watch(".", _ =>
        {
            calls++;
            throw new InvalidOperationException("on purpose");
        });
        await document.EditAsync(d => d["title"].Set("x"), Cancel);
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => watch.Completion.WaitAsync(Patience, Cancel));
        Assert.Equal("on purpose", thrown.Message);
        await document.EditAsync(d => d["title"].Set("y"), Cancel);
        Assert.Equal(1, calls);
    }

    [Fact]
    public async Task A_handler_may_edit_and_dispose_of_its_watch()
    {
        await using var person = await Person.CreateAsync();
        var document = await person.Replica.CreateAsync("todoapp", Cancel);
        var ready = new TaskCompletionSource<DocumentWatch>();
        var values = new List<string?>();
        var watch = document.Watch(".title", change =>
        {
            values.Add(change.Value);
            document.EditAsync(d => d["title"].Set("from the handler"), Cancel).Wait(Cancel);
            ready.Task.Result.DisposeAsync().AsTask().Wait(Cancel);
        });
        ready.SetResult(watch);
        await document.EditAsync(d => d["title"].Set("first"), Cancel);
        await watch.Completion.WaitAsync(Patience, Cancel);
        Assert.Equal("\"first\"", Assert.Single(values));
        Assert.Equal("\"from the handler\"", document.ToJson(".title"));
        await watch.DisposeAsync();
    }

    private sealed class Seen
    {
        private readonly Channel<DocumentChange> _changes = Channel.CreateUnbounded<DocumentChange>();

        public void Add(DocumentChange change) => _changes.Writer.TryWrite(change);

        public async Task<DocumentChange> NextAsync()
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            patience.CancelAfter(Patience);
            return await _changes.Reader.ReadAsync(patience.Token);
        }
    }
}
