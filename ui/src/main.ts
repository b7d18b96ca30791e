import { mount } from 'svelte'
import { transport } from '#transport'
import App from './App.svelte'
import { loadMessages } from './i18n/messages.svelte'
import './app.css'

const target = document.getElementById('app')
if (target) void loadMessages().then(() => mount(App, { target, props: { transport } }))
