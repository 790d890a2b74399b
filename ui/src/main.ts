import { mount } from "svelte";
import App from "./App.svelte";
import { createApp } from "./data/app";
import { detectHost } from "./host";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/tables.css";

const target = document.getElementById("app");
if (!target) throw new Error("index.html has no element with the id app");
const app = createApp(detectHost());
app.prefs.start();
app.start();
mount(App, { target, props: { app } });
